// The way that residents of a building walk to their station, drawn while its card is open. Ways are unpacked when the
// first one is asked for: some 400,000 numbers. Packing is told in maps/ways.py.

const FRACTIONS = 4096; // parts of a segment
const wayLines = [
  L.polyline([], { color: '#fff', weight: 8, opacity: 0.9, interactive: false }),
  L.polyline([], { color: '#b3261e', weight: 4, opacity: 1, interactive: false, className: 'way' }),
  L.polyline([], { color: '#b3261e', weight: 3, opacity: 1, dashArray: '1 6', interactive: false, className: 'way-legs' }),
];
let ways = null; // of each stage, once they are unpacked
let unpacking = null;
let wholeOf = null; // the detail whose way is shown from end to end

async function unpackWays() {
  const n = scene.buildings.shapes.n;
  const before = { fraction: new Int32Array(n), doorX: new Int32Array(n), doorY: new Int32Array(n) };
  const stages = [];
  for (const text of data.packed.ways) {
    const columns = new Columns(await unpack(text));
    const [nStretches, nEnds] = columns.take(2);
    const codes = columns.take(nStretches);
    const forward = codes.map((code) => code & 1);
    const segment = runningSum(codes.map((code) => code >>> 1));
    const parent = columns.takeSigned(nStretches).map((step, i) => i + step);
    const station = columns.take(nEnds);
    const stop = columns.take(nEnds);
    const end = new Map();
    parent.forEach((onto, i) => onto === i && end.set(i, end.size));
    const first = runningSum(columns.takeSigned(n));
    for (const key of Object.keys(before)) {
      const then = before[key];
      before[key] = columns.takeSigned(n).map((step, i) => then[i] + step);
    }
    stages.push({ segment, forward, parent, station, stop, end, first, ...before });
  }
  return stages;
}

// The vertices of a segment between two fractions of it, in walking direction.
function stretchOf({ runs, vertices, x, y }, segment, from, to) {
  const [begin, end] = [vertices[runs[segment]], vertices[runs[segment] + 1]];
  const upto = [0];
  for (let v = begin + 1; v < end; v++) upto.push(upto[upto.length - 1] + Math.hypot(x[v] - x[v - 1], y[v] - y[v - 1]));
  const whole = upto[upto.length - 1];
  const spot = (fraction) => {
    const along = fraction * whole;
    const k = Math.max(1, upto.findIndex((length) => length >= along));
    const part = upto[k] > upto[k - 1] ? (along - upto[k - 1]) / (upto[k] - upto[k - 1]) : 0;
    return [x[begin + k - 1], y[begin + k - 1]].map((a, axis) => a + part * ([x, y][axis][begin + k] - a));
  };
  const [low, high] = [Math.min(from, to) * whole, Math.max(from, to) * whole];
  const between = [];
  upto.forEach((length, k) => length > low && length < high && between.push([x[begin + k], y[begin + k]]));
  return [spot(from), ...(to < from ? between.reverse() : between), spot(to)];
}

// The way of a building: its line on the streets and the straight legs, in units; null where there is none to draw.
function wayOf(i, stage) {
  const { segment, forward, parent, station, stop, end, first, fraction, doorX, doorY } = ways[stage];
  const { shapes } = scene.buildings;
  const line = [];
  let at = first[i] - 1;
  let from = fraction[i] / FRACTIONS;
  if (at < 0) return null;
  for (let step = 0; step <= parent.length; step++) {
    const onto = parent[at];
    const last = end.get(onto);
    const to = last === undefined ? forward[at] : stop[last] / FRACTIONS;
    line.push(...stretchOf(scene.streets.shapes, segment[at], from, to));
    if (last !== undefined) {
      const box = shapes.box.subarray(4 * i, 4 * i + 4);
      const door = [((box[0] + box[2]) >> 1) + doorX[i], ((box[1] + box[3]) >> 1) + doorY[i]];
      const goal = map.project(data.stations[station[last]].at, WORLD_ZOOM);
      return { line, legs: [[door, line[0]], [line[line.length - 1], [goal.x, goal.y]]] };
    }
    at = onto;
    from = 1 - forward[at];
  }
  return null;
}

const wayTold = (walk) => data.packed.ways.length > 0 && walk.station !== null && walk.metres > 0;

// What a card says where the way of its walk is not on the map.
function wayRemark(i, walk) {
  if (!wayTold(walk)) return null;
  if (lotOf()) return el('p.remark', labelled('way_of', data.lots[0][view.language]));
  return ways && !wayOf(i, view.stage) ? remark(word('way_unknown')) : null;
}

function wayButton(i, walk) {
  if (!wayTold(walk) || lotOf() || (ways && !wayOf(i, view.stage))) return null;
  return button('button.link', showWholeWay, word('way_whole'));
}

// Shows the way from end to end, and its card above all of it.
function showWholeWay() {
  const spots = wayLines.flatMap((line) => line.getLatLngs().flat());
  if (!spots.length) return;
  const bounds = L.latLngBounds(spots);
  const { y: height } = map.getSize();
  const card = Math.min(popup.getElement().offsetHeight + 24, height - 120);
  map.fitBounds(bounds, {
    paddingTopLeft: [34, card],
    paddingBottomRight: [58, 34],
    maxZoom: 18,
    animate: false,
  });
  popup.setLatLng([bounds.getNorth(), bounds.getCenter().lng]);
  wholeOf = shownDetail;
  aimCard();
}

function setWay(way) {
  const [line, legs] = way ? [way.line.map(toLatLng), way.legs.map((leg) => leg.map(toLatLng))] : [[], []];
  wayLines[0].setLatLngs(line);
  wayLines[1].setLatLngs(line);
  wayLines[2].setLatLngs(legs);
}

// A card above a whole way points at nothing.
function aimCard() {
  popup.getElement()?.classList.toggle('aimless', wholeOf !== null && wholeOf === shownDetail);
}

// Draws the way of what a popup shows; nothing where it is no building, or another has been opened in the meantime.
async function drawWay(detail) {
  const { building } = detail || {};
  aimCard();
  if (building === undefined || lotOf() || !wayTold(walkOf(building, view.stage))) {
    setWay(null);
    return;
  }
  if (!ways) {
    setWay(null);
    unpacking ??= unpackWays();
    ways = await unpacking;
    if (shownDetail !== detail) return;
    if (!wayOf(building, view.stage)) {
      renewDetail(); // to say so
      return;
    }
  }
  setWay(wayOf(building, view.stage));
}
