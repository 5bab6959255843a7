// The canvas under everything that can be touched: service areas, streets and buildings, painted tile by tile.

const TILE = 256;
const INK = '#1d2733';
const FRAME_MS = 12; // painting may take this much of a frame before it waits for the next one
const GROUND = [246, 244, 239];
const CLOSED = '#a3121a'; // the cross of a station that closes
const NEW = '#b3164f';
const STATION_COLOURS = { open: INK, outside: '#8c95a0', same: '#8c95a0', new: NEW };
const MANY_STATIONS = 200;
const DOT_UNITS = 40; // radius of a building known as a point: some 4 m

// Circles go from dark to light; what lies outside them leaves the scale: orange, black hatched, white outlined. The
// lightness of all five differs, so they hold in grey print as well.
const DARKEST = [25, 82, 143];
const LIGHTEST = { 2: [98, 163, 211] };
const BEYOND = [248, 177, 62];
const UNREACHABLE = [52, 40, 48];
const UNSNAPPABLE = [255, 255, 255];
const STREETS = [
  { kind: 0, width: [0.7, 1, 1.8, 3.2, 5.5, 9, 15], colour: '#ffffff', casing: '#cfc8ba' },
  { kind: 1, width: [0.4, 0.6, 1, 1.3, 1.7, 2.2, 2.8], colour: '#b9ae9b', dash: [4, 2.5] },
  { kind: 2, width: [0.4, 0.6, 1.1, 1.6, 2.4, 3.4, 4.6], colour: '#a2937c', dash: [1.4, 1.4] },
  { kind: 3, width: [0.3, 0.5, 0.8, 1.1, 1.5, 2, 2.6], colour: '#d5cdbf' },
];

const css = (rgb, alpha = 1) => `rgba(${rgb.join(',')},${alpha})`;
const mix = (a, b, t) => a.map((channel, i) => Math.round(channel + (b[i] - channel) * t));

function circleColour(i) {
  const n = data.circles.length;
  return mix(DARKEST, LIGHTEST[n] || [146, 197, 230], n > 1 ? i / (n - 1) : 0);
}

// How buildings are painted by their circle, then beyond, unreachable, unsnappable.
const CIRCLE_PALETTE = [
  ...data.circles.map((_, i) => ({ colour: circleColour(i) })),
  { colour: BEYOND },
  { colour: UNREACHABLE, hatched: true },
  { colour: UNSNAPPABLE, outlined: true },
];
const HATCHED = data.circles.length + 1;
const OUTLINED = data.circles.length + 2;

// The fill of a class of buildings; `empty` ones hold no residents and are paler.
function classFill({ colour: full, hatched }, empty) {
  const colour = empty ? mix(full, GROUND, 0.68) : full;
  if (!hatched) return css(colour);
  const swatch = document.createElement('canvas');
  swatch.width = swatch.height = 6;
  const pen = swatch.getContext('2d');
  pen.fillStyle = css(colour);
  pen.fillRect(0, 0, 6, 6);
  pen.strokeStyle = css(mix(colour, [255, 255, 255], 0.72));
  pen.lineWidth = 1.5;
  for (const shift of [-6, 0, 6]) {
    pen.moveTo(shift - 1, 7);
    pen.lineTo(shift + 7, -1);
  }
  pen.stroke();
  return pen.createPattern(swatch, 'repeat');
}

// The edge that sets a class of buildings off from the ground.
function classEdge({ colour, outlined }, empty) {
  return css(outlined ? [110, 104, 98] : mix(colour, [0, 0, 0], 0.35), empty ? 0.45 : 0.9);
}

// A scene is what a layer of tiles shows: shown, what is switched on; streets and buildings; classes, the class of each
// building, and palette, how those are painted; serviceAreas, if any; stations and clusters, as symbolsOf returns them;
// paintPoints(brush, area), paintStations(brush, stations) and hit(x, y, unit, reach), where a page has its own.
const TILE_OPTIONS = { minZoom: 9, maxZoom: 19, updateWhenZooming: false, keepBuffer: 1 };

const Tiles = L.GridLayer.extend({
  initialize(scene, options) {
    L.GridLayer.prototype.initialize.call(this, options);
    this.scene = scene;
    this.queue = [];
    this.live = new Set();
    this.fills = scene.palette.flatMap((style) => [classFill(style, true), classFill(style, false)]);
    this.edges = scene.palette.flatMap((style) => [classEdge(style, true), classEdge(style, false)]);
    this.on('tileunload', ({ tile }) => this.live.delete(tile.job));
  },

  createTile(coords, done) {
    const canvas = document.createElement('canvas');
    const density = Math.min(2, Math.max(1, Math.round(window.devicePixelRatio || 1)));
    canvas.width = canvas.height = TILE * density;
    const job = { canvas, coords, density, done };
    canvas.job = job;
    this.live.add(job);
    this.ask(job);
    return canvas;
  },

  // Paint every tile again, in place.
  repaint() {
    for (const job of this.live) if (job.coords.z === this._tileZoom) this.ask(job);
  },

  ask(job) {
    if (!this.queue.includes(job)) this.queue.push(job);
    if (this.queue.length === 1) requestAnimationFrame(() => this.work());
  },

  work() {
    const start = performance.now();
    while (this.queue.length && performance.now() - start < FRAME_MS) {
      const job = this.queue.shift();
      if (!this.live.has(job)) continue;
      paint(job, this.scene, this.fills, this.edges, this._map.getZoom());
      if (job.done) job.done(null, job.canvas);
      job.done = null;
    }
    if (this.queue.length) requestAnimationFrame(() => this.work());
    else this.fire('painted');
  },
});

// Between whole zooms a tile is shown larger or smaller than it is painted; symbols make up for it.
function paint({ canvas, coords, density }, scene, fills, edges, shownZoom) {
  const pen = canvas.getContext('2d');
  const unit = 2 ** (coords.z - WORLD_ZOOM) * density; // pixels of the canvas a unit
  const left = coords.x * TILE * density;
  const top = coords.y * TILE * density;
  const margin = 16 * density; // strokes of shapes beside the tile reach into it
  const area = [left - margin, top - margin, left + canvas.width + margin, top + canvas.height + margin].map((p) =>
    Math.round(p / unit),
  );
  const symbol = density * 2 ** (coords.z - shownZoom);
  const brush = { pen, unit, left, top, density, symbol, zoom: coords.z };
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (scene.shown.service_areas) paintServiceAreas(brush, scene.serviceAreas, area);
  if (scene.shown.streets) paintStreets(brush, scene.streets, area);
  if (scene.shown.buildings) paintBuildings(brush, scene, area, fills, edges);
  if (scene.paintPoints) scene.paintPoints(brush, area);
  if (scene.shown.stations) (scene.paintStations || paintStations)(brush, scene.stations);
  if (scene.shown.unserved) paintClusters(brush, scene.clusters);
}

function trace({ pen, unit, left, top }, shapes, i, closed) {
  const { runs, vertices, x, y } = shapes;
  for (let r = runs[i]; r < runs[i + 1]; r++) {
    const start = vertices[r];
    pen.moveTo(x[start] * unit - left, y[start] * unit - top);
    for (let v = start + 1; v < vertices[r + 1]; v++) pen.lineTo(x[v] * unit - left, y[v] * unit - top);
    if (closed) pen.closePath();
  }
}

// As `trace` does, but only the runs that a tile may show, and no vertex within half a pixel of the one before.
function traceNear({ pen, unit, left, top }, shapes, i, [west, north, east, south]) {
  const { runs, vertices, x, y, runBoxes } = shapes;
  const near = 0.5 / unit;
  for (let r = runs[i]; r < runs[i + 1]; r++) {
    const b = 4 * r;
    if (runBoxes[b] > east || runBoxes[b + 2] < west || runBoxes[b + 1] > south || runBoxes[b + 3] < north) continue;
    let last = vertices[r];
    pen.moveTo(x[last] * unit - left, y[last] * unit - top);
    for (let v = last + 1; v < vertices[r + 1]; v++) {
      if (Math.abs(x[v] - x[last]) < near && Math.abs(y[v] - y[last]) < near) continue;
      pen.lineTo(x[v] * unit - left, y[v] * unit - top);
      last = v;
    }
    pen.closePath();
  }
}

// The largest circle first, so that the smaller ones lie on it.
function paintServiceAreas(brush, shapes, area) {
  const { pen, density, zoom } = brush;
  for (let i = shapes.n - 1; i >= 0; i--) {
    pen.beginPath();
    traceNear(brush, shapes, i, area);
    pen.fillStyle = css(circleColour(i), 0.13);
    pen.fill();
    pen.strokeStyle = css(circleColour(i), zoom > 15 ? 0.5 : 0.3);
    pen.lineWidth = density;
    pen.stroke();
  }
}

function paintStreets(brush, { shapes, kind }, area) {
  const { pen, density, zoom } = brush;
  const members = STREETS.map(() => []);
  shapes.visit(area, (i) => members[kind[i]].push(i));
  pen.lineCap = 'round';
  pen.lineJoin = 'round';
  const stroke = (style, colour, extra) => {
    pen.strokeStyle = colour;
    pen.lineWidth = (style.width[Math.min(6, Math.max(0, zoom - 13))] + extra) * density;
    pen.setLineDash(zoom > 14 && style.dash ? style.dash.map((d) => d * density) : []);
    pen.beginPath();
    for (const i of members[style.kind]) trace(brush, shapes, i, false);
    pen.stroke();
  };
  const wide = zoom > 14;
  for (const style of STREETS) if (style.casing) stroke(style, style.casing, wide ? 1.4 : 0);
  for (const style of [...STREETS].reverse()) if (wide || !style.casing) stroke(style, style.colour, 0);
  pen.setLineDash([]);
}

function paintBuildings(brush, { buildings, classes, palette }, area, fills, edges) {
  const { pen, unit, left, top, density, zoom } = brush;
  const { shapes, tenResidents } = buildings;
  const { box, runs, vertices } = shapes;
  const members = fills.map(() => []);
  shapes.visit(area, (i) => members[2 * classes[i] + (tenResidents[i] > 0 ? 1 : 0)].push(i));
  const small = 3 * density;
  const least = 1.2 * density;
  const dot = Math.max(2.2 * density, DOT_UNITS * unit);
  const paintClass = (bin) => {
    if (!members[bin].length) return;
    pen.fillStyle = fills[bin];
    pen.beginPath();
    for (const i of members[bin]) {
      const b = 4 * i;
      const wide = (box[b + 2] - box[b]) * unit;
      const high = (box[b + 3] - box[b + 1]) * unit;
      const x = box[b] * unit - left;
      const y = box[b + 1] * unit - top;
      if (vertices[runs[i + 1]] - vertices[runs[i]] === 1) {
        pen.moveTo(x + dot, y);
        pen.arc(x, y, dot, 0, 7);
      } else if (wide < small && high < small) {
        pen.rect(x, y, Math.max(wide, least), Math.max(high, least));
      } else {
        trace(brush, shapes, i, true);
      }
    }
    pen.fill();
    if (zoom > 15 || palette[bin >> 1].outlined) {
      pen.strokeStyle = edges[bin];
      pen.lineWidth = (zoom > 16 ? 0.8 : 0.5) * density;
      pen.stroke();
    }
  };
  for (let bin = 0; bin < fills.length; bin += 2) paintClass(bin);
  for (let bin = 1; bin < fills.length; bin += 2) paintClass(bin);
}

// Symbols of one size at every zoom; `each` paints one at its pixel, those of neighbouring tiles reach in.
function paintSymbols({ pen, unit, left, top, symbol }, places, each) {
  const margin = 40 * symbol;
  for (const place of places) {
    const x = place.x * unit - left;
    const y = place.y * unit - top;
    if (x > -margin && y > -margin && x < pen.canvas.width + margin && y < pen.canvas.height + margin) {
      each(place, x, y);
    }
  }
}

// From afar, many stations are dots alone, or nothing where they stay as they are: rings would hide the city beneath them.
function paintStations(brush, stations) {
  const { pen, symbol, zoom } = brush;
  const afar = zoom < 13 && stations.length > MANY_STATIONS;
  const radius = (zoom > 14 ? 6 : zoom > 12 ? 4 : 2.5) * symbol;
  const disc = (x, y, r, colour) => {
    pen.beginPath();
    pen.arc(x, y, r, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
  };
  const cross = (x, y, r) => {
    disc(x, y, r + 2 * symbol, '#ffffff');
    for (const [width, colour] of [[6, '#ffffff'], [3, CLOSED]]) {
      pen.beginPath();
      for (const side of [-1, 1]) {
        pen.moveTo(x - r, y - side * r);
        pen.lineTo(x + r, y + side * r);
      }
      pen.lineWidth = width * symbol;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  };
  paintSymbols(brush, stations, ({ mark }, x, y) => {
    if (mark === 'closed') {
      cross(x, y, radius);
      return;
    }
    if (afar && mark === 'same') return;
    if ((afar && mark !== 'new') || (mark === 'same' && zoom < 15)) {
      disc(x, y, 2.4 * symbol, '#ffffff');
      disc(x, y, 1.6 * symbol, STATION_COLOURS[mark]);
      return;
    }
    disc(x, y, radius + 2 * symbol, mark === 'new' ? NEW : INK);
    disc(x, y, radius + symbol, '#ffffff');
    disc(x, y, radius - symbol, STATION_COLOURS[mark]);
  });
}

// A label with the residents; the last one painted, which lies on top, is the one with most of them.
function paintClusters(brush, clusters) {
  const { pen, symbol } = brush;
  pen.font = `700 ${11.5 * symbol}px ${getComputedStyle(document.body).fontFamily}`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  const sorted = [...clusters].sort((a, b) => a.item.residents - b.item.residents);
  paintSymbols(brush, sorted, ({ item: cluster }, x, y) => {
    const text = people(cluster.residents);
    const wide = pen.measureText(text).width / 2 + 2 * symbol;
    const high = 10 * symbol;
    pen.beginPath();
    pen.arc(x - wide, y, high, Math.PI / 2, -Math.PI / 2);
    pen.arc(x + wide, y, high, -Math.PI / 2, Math.PI / 2);
    pen.closePath();
    pen.fillStyle = '#fff4e0';
    pen.fill();
    pen.strokeStyle = '#a84300';
    pen.lineWidth = 1.5 * symbol;
    pen.stroke();
    pen.fillStyle = '#7a3100';
    pen.fillText(text, x, y + 0.5 * symbol);
  });
}
