// The map itself, and what happens on it. folium has made the map, a layer of areas for each level, and empty groups.

const map = window.map_main;
const groups = {
  sites: window.feature_group_sites,
  names: window.feature_group_names,
};
const levels = data.levels.map((_, i) => window[`geo_json_level_${i}`]);

const SHADES = [
  [236, 242, 222],
  [112, 176, 150],
  [0, 82, 80],
];
const NAME_SHIFTS_PX = [0, -18, 18, -34, 34];
const ROOM_FOR_NAME = 2; // an area bears its name where its box is so many times as large as the name's
const REACH_PX = { mouse: 3, touch: 12 }; // how far beside a building a click still means it
const SYMBOL_PX = { unserved: [42, 20], stations: [16, 16] }; // width and height of what the tiles show as symbols
const hovers = window.matchMedia('(hover: hover)').matches;
const small = window.matchMedia('(max-width: 760px)');

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
  open: openDetail,

  show(key, on) {
    app.shown[key] = on;
    draw();
  },

  setStage(stage) {
    view.stage = stage;
    renew();
  },

  setLevel(level) {
    view.level = level;
    renew();
  },

  setCircle(circle) {
    view.circle = circle;
    renew();
  },

  // On a small screen the panel makes room for what was asked for.
  goTo(detail, bounds) {
    if (small.matches) setFold(true);
    if (bounds) map.fitBounds(bounds, { padding: [24, 24], animate: false });
    else map.setView(detail.at, Math.max(map.getZoom(), 17), { animate: false });
    openDetail(detail);
  },
};

const stationDetail = (i) => ({ at: data.stations[i].at, render: () => stationCard(i) });
const clusterDetail = (i) => ({ at: data.unserved[i].at, render: () => clusterCard(data.unserved[i]) });
const areaDetail = (row, at) => ({ at: at || data.areas[row].at, render: () => areaCard(row) });

// --------------------------------------------------------------------------- layers of folium's

function areaLayer(row) {
  let found = null;
  for (const level of levels) level.eachLayer((layer) => (found = layer.feature.properties.row === row ? layer : found));
  return found;
}

function shadeOf(value) {
  const at = Math.min(1, Math.max(0, value)) * (SHADES.length - 1);
  const i = Math.min(SHADES.length - 2, Math.floor(at));
  return css(mix(SHADES[i], SHADES[i + 1], at - i));
}

function drawAreas() {
  const { borders, shading } = app.shown;
  const { rows } = data.stages[view.stage];
  levels.forEach((level, i) => {
    const chosen = i === view.level;
    toggle(level, i <= view.level && (borders || (shading && chosen)));
    level.setStyle(({ properties: { row } }) => {
      const part = rows[row].share[view.circle];
      const filled = chosen && shading && part !== null;
      return {
        stroke: borders,
        color: '#4c4a57',
        weight: chosen ? 1.2 : 2.2,
        opacity: 0.75,
        dashArray: chosen ? '5 4' : null,
        fill: chosen,
        fillColor: filled ? shadeOf(part) : '#d9d5cc',
        fillOpacity: filled ? 0.85 : chosen && shading ? 0.5 : 0,
      };
    });
  });
  groups.names.clearLayers();
  if (!borders && !shading) return;
  const bounds = new Map();
  levels[view.level]?.eachLayer((layer) => bounds.set(layer.feature.properties.row, layer.getBounds()));
  data.areas.forEach((area, row) => {
    if (area.level !== data.levels[view.level]) return;
    const icon = L.divIcon({ className: 'area-name', html: datum('span', area.name || area.id), iconSize: null });
    const marker = L.marker(area.at, { icon, interactive: false, keyboard: false, pane: 'shadowPane' });
    marker.bounds = bounds.get(row);
    marker.addTo(groups.names);
  });
  placeNames();
}

function roomPx(bounds) {
  const { x, y } = map.latLngToContainerPoint(bounds.getSouthEast()).subtract(map.latLngToContainerPoint(bounds.getNorthWest()));
  return x * y;
}

// Names are left out where their area is too small for them and where they would run into other names, the longest
// first; they give way to pins by a line or two.
function placeNames() {
  const markers = groups.names.getLayers().map((marker) => [marker.getElement().firstChild, roomPx(marker.bounds)]);
  for (const [node] of markers) {
    node.style.top = '0';
    node.hidden = false;
  }
  const boxes = markers.map(([node, room]) => [node, node.getBoundingClientRect(), room]);
  const names = boxes.filter(([, box, room]) => room >= ROOM_FOR_NAME * box.width * box.height);
  for (const [node] of boxes) node.hidden = true;
  names.sort(([, a], [, b]) => a.width - b.width);
  const pins = symbolBoxes();
  const placed = [];
  for (const [node, box] of names) {
    const moved = NAME_SHIFTS_PX.map((shift) => new DOMRect(box.x, box.y + shift, box.width, box.height));
    const free = moved.filter((place) => !meets(place, placed));
    const best = free.find((place) => !meets(place, pins)) || free[0];
    if (best) {
      node.hidden = false;
      node.style.top = `${best.y - box.y}px`;
      placed.push(best);
    }
  }
}

function symbolBoxes() {
  const { x: left, y: top } = map.getContainer().getBoundingClientRect();
  const pins = [...document.querySelectorAll('.pin')].map((pin) => pin.getBoundingClientRect());
  for (const [key, [width, height]] of Object.entries(SYMBOL_PX)) {
    for (const { item } of app.shown[key] ? scene[key === 'unserved' ? 'clusters' : key] : []) {
      const { x, y } = map.latLngToContainerPoint(item.at);
      pins.push(new DOMRect(left + x - width / 2, top + y - height / 2, width, height));
    }
  }
  return pins;
}

function meets(box, others) {
  return others.some((o) => box.right > o.left && box.left < o.right && box.bottom > o.top && box.top < o.bottom);
}

// Proposed sites are few, and pins; today's stations and unserved areas may be many, and are painted on the tiles.
function drawSites() {
  groups.sites.clearLayers();
  data.stations.forEach((station, i) => {
    if (station.state !== 'chosen' || isToday()) return;
    const site = siteOf.get(station.id);
    const name = `${word('station_chosen')}: ${station.name || station.id}`;
    const html = el('span.pin', el('span', site ? count(site.order) : ''), datum('span.unseen', name));
    const icon = L.divIcon({ className: 'point', html, iconSize: [28, 36], iconAnchor: [14, 35] });
    const pin = L.marker(station.at, { icon });
    pin.on('click', (event) => {
      app.open(stationDetail(i));
      L.DomEvent.stopPropagation(event);
    });
    if (hovers) pin.bindTooltip(() => stationTip(i), { direction: 'top', offset: [0, -34] });
    pin.addTo(groups.sites);
  });
}

// What is painted on the tiles as symbols: the stations of today and the unserved areas of the chosen circle.
function placeSymbols() {
  const place = (list, keep) =>
    list.flatMap((item, i) => {
      if (!keep(item)) return [];
      const { x, y } = map.project(item.at, WORLD_ZOOM);
      return [{ i, x, y, item }];
    });
  scene.stations = place(data.stations, ({ state }) => state !== 'chosen');
  scene.clusters = place(data.unserved, (cluster) => cluster.circle === view.circle && !isToday());
}

// Whether today is shown beside a plan: its sites and whom it leaves unserved are not there yet.
const isToday = () => view.stage < data.stages.length - 1;

function toggle(layer, on) {
  if (on) map.addLayer(layer);
  else map.removeLayer(layer);
}

// --------------------------------------------------------------------------- what is shown

let tiles = null;
const scene = { shown: app.shown };
const outline = [
  L.polyline([], { color: '#fff', weight: 7, opacity: 1, interactive: false }),
  L.polyline([], { color: '#1d2733', weight: 3, opacity: 1, interactive: false }),
];
const popup = L.popup({
  maxWidth: 300,
  closeOnEscapeKey: false, // which the map hears only while it has the focus
  minWidth: 230,
  autoPanPaddingTopLeft: [34, 14],
  autoPanPaddingBottomRight: [58, 14],
});
const tip = L.tooltip({ direction: 'top', offset: [0, -8], className: 'hover' });

function draw() {
  toggle(groups.sites, app.shown.sites);
  drawAreas();
  if (tiles) tiles.repaint();
}

function renew() {
  fillFrame();
  fillPanel(app);
  drawSites();
  placeSymbols();
  draw();
  nameControls();
  if (app.detail) popup.setContent(app.detail.render());
  if (app.detail) namePopup();
}

function nameControls() {
  const canvas = map.getContainer();
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', `${word('map', { name: data.name })}. ${word('map_help')}`);
  for (const [selector, key] of [
    ['.leaflet-control-zoom-in', 'zoom_in'],
    ['.leaflet-control-zoom-out', 'zoom_out'],
  ]) {
    const node = canvas.querySelector(selector);
    node.title = word(key);
    node.setAttribute('aria-label', word(key));
  }
  nameFold();
}

function namePopup() {
  const close = popup.getElement().querySelector('.leaflet-popup-close-button');
  close.setAttribute('aria-label', word('close_popup'));
}

function openDetail(detail) {
  popup.options.maxHeight = Math.max(180, map.getSize().y - 90);
  popup.setLatLng(detail.at).setContent(detail.render()).openOn(map);
  app.detail = detail;
  document.body.classList.add('carded');
  showOutline(detail.outline || []);
  namePopup();
}

function showOutline(lines) {
  for (const line of outline) line.setLatLngs(lines);
}

const toLatLng = ([x, y]) => map.unproject([x, y], WORLD_ZOOM);

// What lies at a place, the topmost first: [kind, row]; `reach` is how many pixels beside it still count.
function what(latlng, reach) {
  const { x, y } = map.project(latlng, WORLD_ZOOM);
  const unit = 2 ** (WORLD_ZOOM - map.getZoom());
  for (const [key, symbols] of [
    ['unserved', scene.clusters],
    ['stations', scene.stations],
  ]) {
    if (!app.shown[key]) continue;
    const [wide, high] = SYMBOL_PX[key].map((size) => (size / 2 + reach) * unit);
    const hit = symbols.filter((s) => Math.abs(s.x - x) < wide && Math.abs(s.y - y) < high);
    hit.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
    if (hit.length) return [key, hit[0].i];
  }
  const i = app.shown.buildings ? scene.buildings.shapes.at(x, y, reach * unit) : -1;
  return i >= 0 ? ['buildings', i] : null;
}

function openAt(latlng, reach, area) {
  const { buildings } = scene;
  const [kind, i] = what(latlng, reach) || ['area', area];
  if (kind === 'unserved') openDetail(clusterDetail(i));
  else if (kind === 'stations') openDetail(stationDetail(i));
  else if (kind === 'buildings') {
    const lines = buildings.shapes.outline(i).map((line) => [...line, line[0]].map(toLatLng));
    openDetail({ at: latlng, render: () => buildingCard(buildings, i), outline: lines });
  } else if (area !== undefined) openDetail(areaDetail(area, latlng));
}

function tipOf([kind, i]) {
  if (kind === 'unserved') return clusterTip(data.unserved[i]);
  return kind === 'stations' ? stationTip(i) : buildingTip(scene.buildings, i);
}

function listen() {
  for (const level of levels) {
    level.on('click', (event) => (event.originalEvent.area = event.layer.feature.properties.row));
  }
  map.on('click', ({ latlng, originalEvent }) => {
    const reach = originalEvent.pointerType === 'touch' ? REACH_PX.touch : REACH_PX.mouse;
    openAt(latlng, reach, originalEvent.area);
  });
  map.on('popupclose', () => {
    app.detail = null;
    document.body.classList.remove('carded');
    showOutline([]);
  });
  map.on('zoomend', () => {
    placeNames();
    tiles.repaint();
  });
  listenToKeys(map.getContainer());
  document.addEventListener('keydown', (event) => event.key === 'Escape' && map.closePopup());
  if (hovers) listenToHover();
  document.getElementById('language').addEventListener('click', () => {
    view.language = view.language === 'zh' ? 'en' : 'zh';
    renew();
  });
  document.getElementById('whole').addEventListener('click', showAll);
  document.getElementById('fold').addEventListener('click', () => setFold(!document.body.classList.contains('folded')));
  const about = document.getElementById('about');
  document.getElementById('ask').addEventListener('click', () => about.showModal());
  document.getElementById('done').addEventListener('click', () => about.close());
}

// With the keyboard a cross marks the middle of the map, and Enter clicks on it.
function listenToKeys(canvas) {
  canvas.addEventListener('keyup', () => canvas.classList.add('by-keys'));
  canvas.addEventListener('pointerdown', () => canvas.classList.remove('by-keys'));
  canvas.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target !== canvas) return;
    const box = canvas.getBoundingClientRect();
    const place = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
    const target = document.elementFromPoint(place.clientX, place.clientY);
    target.dispatchEvent(new MouseEvent('click', { ...place, bubbles: true, cancelable: true, view: window }));
  });
}

function listenToHover() {
  let waiting = false;
  map.on('mousemove', ({ latlng, originalEvent }) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const onMap = originalEvent.target.closest('.leaflet-marker-icon, .leaflet-popup, .leaflet-control') === null;
      const hit = onMap ? what(latlng, 0) : null;
      map.getContainer().classList.toggle('on-something', hit !== null);
      if (hit) tip.setLatLng(latlng).setContent(tipOf(hit)).addTo(map);
      else tip.remove();
    });
  });
  map.on('mouseout movestart', () => tip.remove());
}

function setFold(folded) {
  document.body.classList.toggle('folded', folded);
  document.getElementById('fold').setAttribute('aria-expanded', String(!folded));
  nameFold();
  map.invalidateSize({ pan: false });
}

function nameFold() {
  const key = document.body.classList.contains('folded') ? 'panel_show' : 'panel_hide';
  document.getElementById('fold').title = word(key);
  document.getElementById('fold-name').textContent = word(key);
}

function showAll() {
  map.fitBounds(data.bounds, { padding: [12, 12], animate: false });
}

async function start() {
  fillFrame();
  setFold(small.matches);
  map.setMinZoom(9).setMaxZoom(19);
  showAll();
  L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(map);
  for (const line of outline) line.addTo(map);
  map.getPane('popupPane').setAttribute('aria-live', 'polite');
  const [buildings, streets, ...serviceAreas] = await Promise.all([
    loadBuildings(data.packed),
    loadStreets(data.packed),
    ...data.stages.map((stage) => Shapes.of(stage.service_areas)),
  ]);
  Object.assign(scene, { buildings, streets, serviceAreas });
  tiles = new Tiles(scene, { minZoom: 9, maxZoom: 19, updateWhenZooming: false, keepBuffer: 1 });
  tiles.once('painted', () => (document.documentElement.dataset.ready = 'yes'));
  tiles.addTo(map);
  renew();
  listen();
}

start().catch((error) => {
  const failure = document.getElementById('failure');
  failure.textContent = word('failed');
  failure.hidden = false;
  throw error;
});
