// The page of a coverage: what it shows, on the map that all pages have.

const SHADES = [
  [236, 242, 222],
  [112, 176, 150],
  [0, 82, 80],
];

const app = {
  shown: {
    buildings: true,
    stations: true,
    sites: true,
    unserved: false,
    service_areas: true,
    borders: true,
    shading: false,
    streets: true,
  },
  detail: null, // what the open popup shows: { at, render, outline }
  sceneAt: () => scene,

  show(key, on) {
    app.shown[key] = on;
    draw();
  },

  // Show another stage, level, circle or group.
  choose(key, i) {
    view[key] = i;
    renew();
  },

  goTo,
  renew,
  onDetail: drawWay,

  detailOf(kind, i, latlng) {
    if (kind === 'unserved') return clusterDetail(i);
    if (kind === 'stations') return stationDetail(i);
    if (kind === 'areas') return areaDetail(i, latlng);
    if (kind === 'streets') return streetDetail(scene.streets, i, latlng);
    const { buildings } = scene;
    return { at: latlng, render: () => buildingCard(buildings, i), outline: outlineOf(buildings.shapes, i), building: i };
  },

  tipOf(kind, i) {
    if (kind === 'unserved') return clusterTip(data.unserved[i]);
    if (kind === 'streets') return streetTip(scene.streets, i);
    return kind === 'stations' ? stationTip(i) : buildingTip(scene.buildings, i);
  },
};

const stationDetail = (i) => ({ at: data.stations[i].at, render: () => stationCard(i) });
const clusterDetail = (i) => ({ at: data.unserved[i].at, render: () => clusterCard(data.unserved[i]) });
const areaDetail = (row, at) => ({ at: at || data.areas[row].at, render: () => areaCard(row) });

const scene = { shown: app.shown, palette: CIRCLE_PALETTE, stations: [], clusters: [] };

function shadeOf(value) {
  const at = Math.min(1, Math.max(0, value)) * (SHADES.length - 1);
  const i = Math.min(SHADES.length - 2, Math.floor(at));
  return css(mix(SHADES[i], SHADES[i + 1], at - i));
}

// Proposed sites are few, and pins; today's stations and unserved areas may be many, and are painted on the tiles.
function drawSites() {
  groups.sites.clearLayers();
  data.stations.forEach((station, i) => {
    if (station.state !== 'chosen' || isToday()) return;
    const site = siteOf.get(station.id);
    const name = `${word('station_chosen')}: ${station.name || station.id}`;
    const html = el('span.pin', el('span', isInOrder(site) ? count(site.order) : ''), datum('span.unseen', name));
    const icon = L.divIcon({ className: 'point', html, iconSize: [28, 36], iconAnchor: [14, 35] });
    const pin = L.marker(station.at, { icon });
    pin.on('click', (event) => {
      openDetail(stationDetail(i));
      L.DomEvent.stopPropagation(event);
    });
    if (hovers) pin.bindTooltip(() => stationTip(i), { direction: 'top', offset: [0, -34] });
    pin.addTo(groups.sites);
  });
}

// What the tiles show of the stage: its classes and service areas, the stations of today and the unserved areas.
function setScene() {
  scene.classes = factsOf(view.stage).class;
  scene.serviceAreas = scene.stages[view.stage];
  scene.stations = symbolsOf(
    data.stations,
    ({ state }) => state !== 'chosen',
    ({ state, outside }) => (state === 'closed' && !isToday() ? 'closed' : outside ? 'outside' : 'open'),
  );
  scene.clusters = symbolsOf(data.unserved, ({ circle }) => circle === view.circle && !isToday());
}

// The figures of a stage, and how each building walks in it, as the chosen group does.
const figuresOf = (stage) => scene.figures[stage][view.group];
const factsOf = (stage) => scene.buildings.facts[lotOf() * data.stages.length + stage];

// Whether today is shown beside a plan: its sites and whom it leaves unserved are not there yet.
const isToday = () => view.stage < data.stages.length - 1;

function draw() {
  const { rows } = figuresOf(view.stage);
  toggle(groups.sites, app.shown.sites);
  drawAreas(app.shown, (row) => {
    const part = rows[row].share[view.circle];
    return part === null ? null : shadeOf(part);
  });
  repaint();
}

function renew() {
  setScene();
  fillFrame();
  fillPanel();
  drawSites();
  draw();
  nameControls();
  renewDetail();
}

begin(async () => {
  const [buildings, figures, streets, ...stages] = await Promise.all([
    loadBuildings(data.packed, data.lots.length * data.stages.length, WALK_FACTS),
    unpackJson(data.packed.figures),
    loadNamedStreets(data.packed),
    ...data.stages.map((stage) => Shapes.of(stage.service_areas)),
  ]);
  Object.assign(scene, { buildings, figures, streets, stages });
  for (const line of wayLines) line.addTo(map);
  return [new Tiles(scene, TILE_OPTIONS)];
});
