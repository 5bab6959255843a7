// The page of a comparison: what it shows, on the map that all pages have.

const VIEWS = ['swipe', 'change', 'tables'];
let areaSums = null;
let drawnBorders = '';
const scenes = {};

const app = {
  shown: { buildings: true, stations: true, streets: true, borders: true, unserved: false },

  sceneAt(latlng) {
    return scenes[view.kind === 'swipe' ? sideAt(latlng) : 'change'];
  },

  show(key, on) {
    app.shown[key] = on;
    draw();
  },

  // Show another kind of view, side, circle, group, speed or level.
  choose(key, i) {
    view[key] = key === 'kind' ? VIEWS[i] : i;
    renew();
  },

  exchange() {
    [view.left, view.right] = [view.right, view.left];
    renew();
  },

  // From the tables back to the map, and there to a place.
  goTo(detail, bounds) {
    if (view.kind === 'tables') app.choose('kind', 0);
    goTo(detail, bounds);
  },

  renew,

  detailOf(kind, i, latlng) {
    if (kind === 'stations') return { at: data.stations[i].at, render: () => stationCard(i) };
    if (kind === 'areas') return { at: latlng || data.areas[i].at, render: () => areaCard(i, areaSums) };
    const { buildings, streets } = scenes.change;
    if (kind === 'streets') return streetDetail(streets, i, latlng);
    return { at: latlng, render: () => buildingCard(buildings, i), outline: outlineOf(buildings.shapes, i) };
  },

  tipOf(kind, i) {
    if (kind === 'streets') return streetTip(scenes.change.streets, i);
    return kind === 'stations' ? stationTip(i) : buildingTip(scenes.change.buildings, i);
  },
};

// What the layers of tiles show of the two sides, and of the change between them.
function setScenes() {
  const { buildings } = scenes.change;
  for (const side of ['left', 'right']) {
    scenes[side].classes = classesIn(buildings, view[side]);
    scenes[side].stations = stationsAs((i) => markIn(view[side], i));
  }
  scenes.change.classes = changesBetween(buildings, view.left, view.right);
  scenes.change.stations = stationsAs((i) => {
    const [before, after] = sides().map((state) => openIn[state].has(i));
    if (before === after) return before ? 'same' : null;
    return after ? 'new' : 'closed';
  });
}

// The stations that `markOf` gives a mark, those that open or close on top.
function stationsAs(markOf) {
  const symbols = symbolsOf(data.stations, (_, i) => markOf(i), (_, i) => markOf(i));
  const isChange = ({ mark }) => Number(mark === 'new' || mark === 'closed');
  return symbols.sort((a, b) => isChange(a) - isChange(b));
}

// Borders and names are drawn anew only where they change: there may be hundreds.
function drawBorders() {
  const wanted = `${view.level} ${app.shown.borders}`;
  if (wanted === drawnBorders) return;
  drawnBorders = wanted;
  drawAreas(app.shown, () => null);
}

function draw() {
  const shown = { swipe: ['left', 'right'], change: ['change'], tables: [] }[view.kind];
  tiles.forEach((layer) => toggle(layer, shown.includes(layer.options.pane)));
  drawBorders();
  clipSides();
  repaint();
}

function fillViews() {
  document.body.dataset.view = view.kind;
  const names = VIEWS.map((kind) => word(kind));
  refill(document.getElementById('views'), [segments('kind', names, VIEWS.indexOf(view.kind), word('view_label'))]);
  for (const side of ['left', 'right']) {
    const label = document.getElementById(`label-${side}`);
    label.replaceChildren(datum('span', stateName(view[side])));
    label.title = stateName(view[side]);
  }
}

function renew() {
  setScenes();
  fillFrame();
  fillViews();
  fillPanel(areaSums);
  if (view.kind === 'tables') fillTables(areaSums);
  draw();
  nameControls();
  renewDetail();
}

begin(async () => {
  const n = data.lots.length * data.states.length;
  const [buildings, streets, sums] = await Promise.all([
    loadBuildings(data.packed, n, STATE_FACTS),
    loadNamedStreets(data.packed),
    loadAreaFigures(data.packed.area_figures),
  ]);
  areaSums = sums;
  setUpSwipe(document.getElementById('divider'));
  window.addEventListener('beforeprint', () => fillTables(areaSums));
  const scene = (palette) => ({ shown: app.shown, buildings, streets, palette, stations: [], clusters: [] });
  Object.assign(scenes, { left: scene(CIRCLE_PALETTE), right: scene(CIRCLE_PALETTE), change: scene(CHANGE_PALETTE) });
  setScenes();
  return Object.keys(scenes).map((pane) => {
    map.createPane(pane).style.zIndex = 200;
    return new Tiles(scenes[pane], { ...TILE_OPTIONS, pane });
  });
});
