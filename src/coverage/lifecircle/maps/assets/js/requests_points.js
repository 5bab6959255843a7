// Requests and the stations that take them, painted on the tiles, and found there again.

const POINT_PX = [1, 1.2, 1.6, 2.2, 3.2, 4.4, 5.8]; // radius of one request, at zoom 11 and below, 12 ... 17 and above
const LARGEST_PX = 19;
// Radius of a station that takes none, and of the one that takes most, at zoom 11 and below ... 15 and above.
const STATION_PX = [[1.2, 4], [1.4, 5.5], [1.8, 7.5], [2.8, 13], [4.5, 19]];
const COUNT_FROM_PX = 10; // a station or point of this radius bears its number
const FADED = 0.13;
const NEAR_FROM = 13; // beyond this zoom points have edges
const TURNS = 8;

// Points keep the colours of circles; those whom nobody takes are squares on their corners, so that shape tells too.
const POINT_PALETTE = [...CIRCLE_PALETTE.slice(0, BEYOND_ALL + 1), { colour: [150, 20, 50], pointed: true }];

const atZoom = (list, zoom) => list[Math.max(0, Math.min(list.length - 1, Math.round(zoom) - 11))];

// From afar few points are drawn larger than many.
function pointPx(scene, n, zoom) {
  return Math.min(LARGEST_PX, atZoom(POINT_PX, zoom) * (zoom > 14 ? 1 : scene.swell) * Math.sqrt(n));
}

function stationPx(n, most, zoom) {
  const [least, largest] = atZoom(STATION_PX, zoom);
  return n ? least + (largest - least) * Math.sqrt(n / most) : least;
}

function spot(pen, { pointed }, x, y, r) {
  if (pointed) {
    const side = 1.3 * r;
    pen.moveTo(x, y - side);
    pen.lineTo(x + side, y);
    pen.lineTo(x, y + side);
    pen.lineTo(x - side, y);
    pen.closePath();
  } else {
    pen.moveTo(x + r, y);
    pen.arc(x, y, r, 0, 7);
  }
}

// Near by, long walks and those whom nobody takes lie on top, and within a class the small points. From afar, where
// points cover each other, the classes take turns, so that the colours stand for how many there are of each.
function paintPoints(brush, scene, area) {
  const { pen, unit, left, top, symbol, zoom, density } = brush;
  const { requests, counted, classes, lit } = scene;
  const { x, y } = requests.shapes;
  const near = zoom > NEAR_FROM;
  const n = POINT_PALETTE.length;
  const members = Array.from({ length: 2 * n * (near ? 1 : TURNS) }, () => []);
  const wide = (LARGEST_PX * symbol) / unit;
  const [west, north, east, south] = area;
  requests.shapes.visit([west - wide, north - wide, east + wide, south + wide].map(Math.round), (p) => {
    const turn = near ? 0 : p % TURNS;
    if (counted.atPlace[p]) members[2 * (turn * n + classes[p]) + (!lit || lit.has(p) ? 1 : 0)].push(p);
  });
  members.forEach((places, bin) => {
    if (!places.length) return;
    const style = POINT_PALETTE[(bin >> 1) % n];
    const alpha = bin & 1 ? 1 : FADED;
    pen.fillStyle = css(style.colour, alpha);
    pen.strokeStyle = css([255, 255, 255], alpha);
    pen.lineWidth = (style.pointed ? 1.2 : 0.9) * symbol;
    if (near) places.sort((a, b) => counted.atPlace[b] - counted.atPlace[a]);
    pen.beginPath();
    for (const p of places) {
      const r = pointPx(scene, counted.atPlace[p], zoom) * symbol;
      const [px, py] = [x[p] * unit - left, y[p] * unit - top];
      if (r < 1.3 * density) pen.rect(px - r, py - r, 2 * r, 2 * r);
      else spot(pen, style, px, py, r);
      if (!near) continue;
      pen.fill();
      pen.stroke();
      pen.beginPath();
    }
    pen.fill();
  });
}

function paintTakers(brush, scene) {
  const { pen, symbol, zoom } = brush;
  const { taken, most, litStation } = scene;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  paintSymbols(brush, scene.stations, ({ i }, x, y) => {
    const n = taken[i + 1];
    if (!n && zoom < 14) return;
    const r = stationPx(n, most, zoom) * symbol;
    const faded = litStation !== null && litStation !== i + 1;
    pen.beginPath();
    pen.arc(x, y, r, 0, 7);
    pen.fillStyle = css([255, 255, 255], n ? (faded ? 0.5 : 0.86) : 0.9);
    pen.fill();
    pen.lineWidth = (n ? Math.min(2, 0.8 + r / symbol / 8) : 1) * symbol;
    pen.strokeStyle = n ? css([29, 39, 51], faded ? 0.4 : 1) : '#8c95a0';
    pen.stroke();
    if (!n || faded) return;
    if (r < COUNT_FROM_PX * symbol) {
      pen.beginPath();
      pen.arc(x, y, Math.max(1.2 * symbol, r * 0.35), 0, 7);
      pen.fillStyle = INK;
      pen.fill();
      return;
    }
    const text = n < 10000 ? String(n) : `${Math.round(n / 1000)}k`;
    pen.font = `650 ${Math.min(12, (2.6 * r) / symbol / Math.max(2, text.length)) * symbol}px ${scene.font}`;
    pen.fillStyle = INK;
    pen.fillText(text, x, y + 0.5 * symbol);
  });
}

// What lies at a place of the tiles: a station, else the nearest point; null for none. `unit` is that of a pixel.
function requestsAt(scene, x, y, unit, reach) {
  const zoom = map.getZoom();
  let best = null;
  const offer = (kind, i, at, r) => {
    const far = Math.hypot(at.x - x, at.y - y) / unit;
    if (far <= r + reach && (!best || far < best.far)) best = { kind, i, far };
  };
  if (scene.shown.stations) {
    for (const place of scene.stations) {
      offer('stations', place.i, place, stationPx(scene.taken[place.i + 1], scene.most, zoom));
    }
  }
  if (!best && scene.shown.requests) {
    const { shapes } = scene.requests;
    const wide = (LARGEST_PX + reach) * unit;
    shapes.visit([x - wide, y - wide, x + wide, y + wide].map(Math.round), (p) => {
      const n = scene.counted.atPlace[p];
      if (n) offer('requests', p, { x: shapes.x[p], y: shapes.y[p] }, pointPx(scene, n, zoom));
    });
  }
  return best && [best.kind, best.i];
}
