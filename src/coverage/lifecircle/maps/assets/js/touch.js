// What the hand, the mouse and the keyboard do on the map. Of the page's own, `app` has: shown, what is switched on;
// sceneAt(latlng), what is painted at a place; detailOf(kind, i, latlng) and tipOf(kind, i), what a click there and
// hovering show; goTo(detail, bounds), which leads to it; renew(), which shows all anew; and onDetail(detail), if it is to
// be told what card is open, null for none.

const REACH_PX = { mouse: 3, touch: 12 }; // how far beside a building a click still means it
const SYMBOL_PX = { unserved: [42, 20], stations: [16, 16] }; // width and height of what the tiles show as symbols
const hovers = window.matchMedia('(hover: hover)').matches;
const small = window.matchMedia('(max-width: 760px)');

let tiles = []; // the layers of tiles
let shownDetail = null; // what the open popup shows: { at, render, outline }
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

function repaint() {
  for (const layer of tiles) layer.repaint();
}

// Where on the screen symbols are painted.
function symbolBoxes() {
  const { x: left, y: top } = map.getContainer().getBoundingClientRect();
  const pins = [...document.querySelectorAll('.pin')].map((pin) => pin.getBoundingClientRect());
  const { clusters, stations } = app.sceneAt(map.getCenter());
  for (const [key, symbols] of [['unserved', clusters], ['stations', stations]]) {
    const [width, height] = SYMBOL_PX[key];
    for (const { item } of app.shown[key] ? symbols : []) {
      const { x, y } = map.latLngToContainerPoint(item.at);
      pins.push(new DOMRect(left + x - width / 2, top + y - height / 2, width, height));
    }
  }
  return pins;
}

// Symbols at their places among the units of the tiles, of the items that `keep` keeps; `mark(item, i)` says which.
function symbolsOf(items, keep, mark = () => 'open') {
  return items.flatMap((item, i) => {
    if (!keep(item, i)) return [];
    const { x, y } = map.project(item.at, WORLD_ZOOM);
    return [{ i, x, y, item, mark: mark(item, i) }];
  });
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
  popup.options.maxHeight = Math.max(180, map.getSize().y - popup.options.autoPanPaddingTopLeft[1] - 76);
  popup.setLatLng(detail.at).setContent(detail.render()).openOn(map);
  shownDetail = detail;
  document.body.classList.add('carded');
  showOutline(detail.outline || []);
  namePopup();
  app.onDetail?.(detail);
}

function renewDetail() {
  if (!shownDetail) return;
  popup.setContent(shownDetail.render());
  namePopup();
  app.onDetail?.(shownDetail);
}

// On a small screen the panel makes room for what was asked for.
function goTo(detail, bounds) {
  if (small.matches) setFold(true);
  if (bounds) map.fitBounds(bounds, { padding: [24, 24], animate: false });
  else map.setView(detail.at, Math.max(map.getZoom(), 17), { animate: false });
  openDetail(detail);
}

function showOutline(lines) {
  for (const line of outline) line.setLatLngs(lines);
}

const toLatLng = ([x, y]) => map.unproject([x, y], WORLD_ZOOM);

const lineOf = (shapes, i) => shapes.outline(i).map((line) => line.map(toLatLng));

// The edge of a building, as a popup marks it.
const outlineOf = (shapes, i) => lineOf(shapes, i).map((line) => [...line, line[0]]);

// What lies at a place, the topmost first: [kind, row]; `reach` is how many pixels beside it still count.
function what(latlng, reach) {
  const { x, y } = map.project(latlng, WORLD_ZOOM);
  const unit = 2 ** (WORLD_ZOOM - map.getZoom());
  const { clusters, stations, buildings, streets, hit: found } = app.sceneAt(latlng);
  if (found) return found(x, y, unit, reach);
  for (const [key, symbols] of [['unserved', clusters], ['stations', stations]]) {
    if (!app.shown[key]) continue;
    const [wide, high] = SYMBOL_PX[key].map((size) => (size / 2 + reach) * unit);
    const hit = symbols.filter((s) => Math.abs(s.x - x) < wide && Math.abs(s.y - y) < high);
    hit.sort((a, b) => Math.hypot(a.x - x, a.y - y) - Math.hypot(b.x - x, b.y - y));
    if (hit.length) return [key, hit[0].i];
  }
  const i = app.shown.buildings ? buildings.shapes.at(x, y, reach * unit) : -1;
  if (i >= 0) return ['buildings', i];
  if (!app.shown.streets || map.getZoom() < STREET_ZOOM) return null;
  const street = streetAt(streets, x, y, Math.max(reach, REACH_PX.mouse) * unit);
  return street >= 0 ? ['streets', street] : null;
}

function openAt(latlng, reach, area) {
  const hit = what(latlng, reach) || (area === undefined ? null : ['areas', area]);
  if (hit) openDetail(app.detailOf(...hit, latlng));
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
    shownDetail = null;
    document.body.classList.remove('carded');
    showOutline([]);
    app.onDetail?.(null);
  });
  map.on('zoomend', () => {
    placeNames();
    repaint();
  });
  listenToKeys(map.getContainer());
  document.addEventListener('keydown', (event) => event.key === 'Escape' && map.closePopup());
  if (hovers) listenToHover();
  document.getElementById('language').addEventListener('click', () => {
    view.language = view.language === 'zh' ? 'en' : 'zh';
    app.renew();
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
      if (hit) tip.setLatLng(latlng).setContent(app.tipOf(...hit)).addTo(map);
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

// Shows the frame, then what is painted on the layers of tiles that `load` returns.
async function start(load) {
  fillFrame();
  setFold(small.matches);
  map.setMinZoom(9).setMaxZoom(19);
  showAll();
  L.control.scale({ imperial: false, position: 'bottomleft' }).addTo(map);
  for (const line of outline) line.addTo(map);
  map.getPane('popupPane').setAttribute('aria-live', 'polite');
  tiles = await load();
  for (const layer of tiles) layer.addTo(map);
  app.renew();
  const awaited = tiles.filter((layer) => map.hasLayer(layer));
  let left = awaited.length;
  for (const layer of awaited) layer.once('painted', () => --left || (document.documentElement.dataset.ready = 'yes'));
  listen();
}

// Lets a page start, and says so where it cannot.
function begin(load) {
  start(load).catch((error) => {
    const failure = document.getElementById('failure');
    failure.textContent = word('failed');
    failure.hidden = false;
    throw error;
  });
}
