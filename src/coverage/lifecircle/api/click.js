// A click on the map asks the server which station is nearest on foot, and by which way. Texts are shown as text alone.
(() => {
'use strict';
const map = window.map_main;
const WORDS = {
  zh: { asking: '正在查询…', found: '最近的服务站：', walk: (m, s) => `步行 ${m} 米，${s} 分钟`, failed: '服务器没有回答' },
  en: { asking: 'asking…', found: 'Nearest station: ', walk: (m, s) => `${m} m on foot, ${s} min`, failed: 'no answer from the server' },
};
const word = () => WORDS[document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'];

const box = document.createElement('output');
box.id = 'nearest';
box.hidden = true;
Object.assign(box.style, { background: '#fff', border: '1px solid #1d2733', borderRadius: '4px', padding: '6px 10px', maxWidth: '70vw' });
const control = window.L.control({ position: 'bottomleft' });
control.onAdd = () => box;
control.addTo(map);
const way = window.L.polyline([], { color: '#b3261e', weight: 5, opacity: 0.9, interactive: false }).addTo(map);

function show(...lines) {
  box.replaceChildren(...lines.map((line) => Object.assign(document.createElement('div'), { textContent: line, dir: 'auto' })));
  box.hidden = false;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  return answer.json();
}

let last = 0;
async function answer({ lat, lng }) {
  const number = (last += 1);
  const here = `${lng.toFixed(7)},${lat.toFixed(7)}`;
  way.setLatLngs([]);
  show(word().asking);
  const found = await ask(`nearest/v1/foot/${here}`);
  if (number !== last) return;
  const station = (found.waypoints || [])[0];
  if (!station) {
    show(found.message);
    return;
  }
  const { name, station_id: id, location, walk_m: metres, walk_s: seconds } = station;
  const minutes = (Math.ceil(seconds / 6 - 1e-6) / 10).toFixed(1);
  show(`${word().found}${name || id}`, word().walk(Math.round(metres), minutes));
  const walked = await ask(`route/v1/foot/${here};${location.join(',')}?geometries=geojson`);
  if (number === last && walked.routes) way.setLatLngs(walked.routes[0].geometry.coordinates.map(([x, y]) => [y, x]));
}

map.on('click', ({ latlng }) => {
  answer(latlng.wrap()).catch(() => show(word().failed));
});
})();
