// The page of requests: what it shows, on the map that all pages have.

const MOST_RAYS = 1500; // as many lines are drawn from a station to those who walk to it
const [LEAST_SWELL, MOST_SWELL, MANY_PLACES] = [0.8, 2.2, 3000];
const AROUND_M = 400; // at least as much is shown around a station
const [PAPER_PX, PAPER_HIGH_PX] = [700, 620]; // of A4 within its margins; as high as leaves room for figures
const rays = L.polyline([], { color: '#1d2733', weight: 0.8, opacity: 0.45, interactive: false });
let drawnBorders = '';

const app = {
  shown: { requests: true, stations: true, streets: true, borders: true },
  sceneAt: () => scene,
  renew,

  // To a station with all whom it takes.
  goTo: (detail, bounds) => goTo(detail, bounds || boundsOf(detail.station)),

  show(key, on) {
    app.shown[key] = on;
    draw();
  },

  // Show another level of areas, or the months of a range; null for all months.
  choose(key, value) {
    if (key === 'month') {
      chosen.month.clear();
      for (let month = value ? value[0] : 1; value && month <= value[1]; month++) chosen.month.add(month);
    } else {
      view[key] = value;
    }
    filter();
  },

  // Filter by a value, or no longer. Of stations and areas there is one at a time.
  pick(facet, value) {
    const set = chosen[facet];
    const had = set.has(value);
    if (facet === 'station' || facet === 'area' || facet === 'month') set.clear();
    if (had) set.delete(value);
    else set.add(value);
    filter();
  },

  clear(facet) {
    for (const each of facet ? [facet] : FACETS) chosen[each].clear();
    filter();
  },

  detailOf(kind, i, latlng) {
    if (kind === 'stations') return { at: data.stations[i].at, render: () => stationCard(scene, i), station: i + 1 };
    if (kind === 'areas') return { at: latlng || data.areas[i].at, render: () => areaCard(scene, i) };
    const { shapes } = scene.requests;
    const at = toLatLng([shapes.x[i], shapes.y[i]]);
    const takers = new Set(askedAt(scene.requests, scene.counted, i).map(({ station }) => station));
    takers.delete(0);
    const lines = [...takers].map((row) => [at, data.stations[row - 1].at]);
    return { at, render: () => placeCard(scene, i), outline: lines };
  },

  tipOf: (kind, i) => (kind === 'stations' ? stationTip(scene, i) : placeTip(scene, i)),

  // The points of the station whose card is open are lit up.
  onDetail(detail) {
    const station = detail?.station || null;
    if (station !== scene.litStation) light(station);
  },

  finders: () => [
    ...placeFinders(),
    {
      kind: 'by_item',
      n: data.items.length,
      nameOf: itemName,
      idOf: () => '',
      go: (i) => chosen.item.has(i) || app.pick('item', i),
    },
  ],
};

const scene = { shown: app.shown, palette: POINT_PALETTE, stations: [], clusters: [], lit: null, litStation: null };
scene.paintPoints = (brush, area) => app.shown.requests && paintPoints(brush, scene, area);
scene.paintStations = (brush) => paintTakers(brush, scene);
scene.hit = (...at) => requestsAt(scene, ...at);

function recount() {
  const counted = countRequests(scene.requests);
  const nShown = counted.atPlace.reduce((n, at) => n + (at > 0), 1);
  const taken = Int32Array.from(data.stations, (_, i) => sumOf(classesIn(counted.stationClasses, i + 1)));
  // A filter by station leaves the others in the list, but not on the map.
  const isOn = (i) => !chosen.station.size || chosen.station.has(i + 1);
  Object.assign(scene, {
    counted,
    classes: classesOfPlaces(counted),
    areas: areaSums(counted),
    taken: Int32Array.from([0, ...taken.map((n, i) => (isOn(i) ? n : 0))]),
    swell: Math.min(MOST_SWELL, Math.max(LEAST_SWELL, (MANY_PLACES / nShown) ** 0.25)),
    font: getComputedStyle(document.body).fontFamily,
  });
  scene.most ??= taken.reduce((most, n) => Math.max(most, n), 1);
}

function light(station) {
  scene.litStation = station;
  scene.lit = station ? takenBy(scene.requests, scene.counted, station).places : null;
  const at = station && data.stations[station - 1].at;
  const { x, y } = scene.requests.shapes;
  const ends = [...(scene.lit || [])].slice(0, MOST_RAYS);
  rays.setLatLngs(ends.map((p) => [at, toLatLng([x[p], y[p]])]));
  repaint();
}

function boundsOf(station) {
  if (!station) return null;
  const { x, y } = scene.requests.shapes;
  const around = L.latLng(data.stations[station - 1].at).toBounds(AROUND_M);
  for (const p of takenBy(scene.requests, scene.counted, station).places) around.extend(toLatLng([x[p], y[p]]));
  return around;
}

// The map is printed as it is on the screen, as wide as the paper.
function sizeForPaper() {
  const { x, y } = map.getSize();
  const { style } = document.documentElement;
  style.setProperty('--map-width', `${x}px`);
  style.setProperty('--map-height', `${y}px`);
  style.setProperty('--map-zoom', String(Math.min(PAPER_PX / x, PAPER_HIGH_PX / y)));
}

// Borders and names are drawn anew only where they change: there may be hundreds.
function draw() {
  const wanted = `${view.level} ${app.shown.borders}`;
  if (wanted !== drawnBorders) drawAreas(app.shown, () => null);
  drawnBorders = wanted;
  repaint();
}

function filter() {
  recount();
  fillPanel(scene);
  draw();
  light(scene.litStation);
  renewDetail();
}

function renew() {
  fillFrame();
  filter();
  nameControls();
}

begin(async () => {
  const [requests, streets] = await Promise.all([loadRequests(data.packed.requests), loadStreets(data.packed)]);
  Object.assign(scene, { requests, streets });
  scene.stations = symbolsOf(data.stations, () => true);
  rays.addTo(map);
  window.addEventListener('beforeprint', sizeForPaper);
  return [new Tiles(scene, TILE_OPTIONS)];
});
