// The map that folium has made, with a layer of areas for each level and empty groups; and the names of areas.

const map = window.map_main;
const groups = {
  sites: window.feature_group_sites,
  names: window.feature_group_names,
};
const levels = data.levels.map((_, i) => window[`geo_json_level_${i}`]);

const NAME_SHIFTS_PX = [0, -18, 18, -34, 34];
const ROOM_FOR_NAME = 2; // an area bears its name where its box is so many times as large as the name's

function areaLayer(row) {
  let found = null;
  for (const level of levels) level.eachLayer((layer) => (found = layer.feature.properties.row === row ? layer : found));
  return found;
}

// Draws the borders and names of the chosen level, and the borders above it. `fillOf(row)` is the fill of an area, null
// for none.
function drawAreas({ borders, shading }, fillOf) {
  levels.forEach((level, i) => {
    const chosen = i === view.level;
    toggle(level, i <= view.level && (borders || (shading && chosen)));
    level.setStyle(({ properties: { row } }) => {
      const filled = chosen && shading ? fillOf(row) : null;
      return {
        stroke: borders,
        color: '#4c4a57',
        weight: chosen ? 1.2 : 2.2,
        opacity: 0.75,
        dashArray: chosen ? '5 4' : null,
        fill: chosen,
        fillColor: filled || '#d9d5cc',
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

function meets(box, others) {
  return others.some((o) => box.right > o.left && box.left < o.right && box.bottom > o.top && box.top < o.bottom);
}

function toggle(layer, on) {
  if (on) map.addLayer(layer);
  else map.removeLayer(layer);
}
