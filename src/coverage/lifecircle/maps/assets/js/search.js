// Search for an area, a station or a building by its name or id.

const MOST_FOUND = 12;
const searched = { text: '' };

// The places of whose name or id a text is part, as [kind, row, name].
function placesNamed(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const found = [];
  const look = (kind, n, nameOf, idOf) => {
    for (let i = 0; i < n && found.length < MOST_FOUND; i++) {
      const [name, id] = [nameOf(i), idOf(i)];
      if (name.toLowerCase().includes(wanted) || id.toLowerCase().includes(wanted)) found.push([kind, i, name || id]);
    }
  };
  const { names, ids } = app.sceneAt(map.getCenter()).buildings;
  for (const [kind, rows] of [['areas', data.areas], ['stations', data.stations]]) {
    look(kind, rows.length, (i) => rows[i].name, (i) => rows[i].id);
  }
  look('buildings', names.length, (i) => names[i], (i) => ids[i]);
  return found;
}

function goToPlace(kind, i) {
  const { shapes } = app.sceneAt(map.getCenter()).buildings;
  const middle = kind === 'buildings' ? toLatLng([shapes.middleX(i), shapes.middleY(i)]) : undefined;
  app.goTo(app.detailOf(kind, i, middle), kind === 'areas' ? areaLayer(i).getBounds() : null);
}

function searchSection() {
  const box = el('input');
  const results = el('ul');
  const fill = () => {
    const places = placesNamed(searched.text);
    const kinds = { areas: 'area', stations: 'station', buildings: 'building' };
    const lines = places.map(([kind, i, name]) =>
      button('button', () => goToPlace(kind, i), datum('span.name', name), el('span.kind', word(kinds[kind]))),
    );
    const none = searched.text.trim() && !places.length ? [el('p.caption', word('search_none'))] : [];
    results.replaceChildren(...(none.length ? none : lines).map((line) => el('li', line)));
  };
  Object.assign(box, { type: 'search', id: 'search', value: searched.text, placeholder: word('search_help') });
  box.setAttribute('aria-label', `${word('search')}: ${word('search_help')}`);
  box.addEventListener('input', () => {
    searched.text = box.value;
    fill();
  });
  results.setAttribute('aria-live', 'polite');
  fill();
  return el('section.search.list', box, results);
}
