// Search for an area, a station or a building by its name or id, or for what else a page has.

const MOST_FOUND = 12;
const searched = { text: '' };

// What can be found: a word for its kind, how many there are, name and id of each by row, and what leads to it.
function placeFinders() {
  return [['areas', 'area'], ['stations', 'station']].map(([key, kind]) => ({
    kind,
    n: data[key].length,
    nameOf: (i) => data[key][i].name,
    idOf: (i) => data[key][i].id,
    go: (i) => goToPlace(key, i),
  }));
}

function buildingFinder() {
  const { names, ids } = app.sceneAt(map.getCenter()).buildings;
  const [nameOf, idOf] = [(i) => names[i], (i) => ids[i]];
  return { kind: 'building', n: names.length, nameOf, idOf, go: (i) => goToPlace('buildings', i) };
}

const finders = () => (app.finders ? app.finders() : [...placeFinders(), buildingFinder()]);

// What has a text in its name or id; where it is not in the name, the id is told too.
function found(text) {
  const wanted = text.trim().toLowerCase();
  const hits = [];
  for (const { kind, n, nameOf, idOf, go } of wanted ? finders() : []) {
    for (let i = 0; i < n && hits.length < MOST_FOUND; i++) {
      const [name, id] = [nameOf(i), idOf(i)];
      const byName = name.toLowerCase().includes(wanted);
      if (byName || id.toLowerCase().includes(wanted)) hits.push({ kind, name, id: byName ? '' : id, go: () => go(i) });
    }
  }
  return hits;
}

function goToPlace(kind, i) {
  const { shapes } = app.sceneAt(map.getCenter()).buildings || {};
  const middle = kind === 'buildings' ? toLatLng([shapes.middleX(i), shapes.middleY(i)]) : undefined;
  app.goTo(app.detailOf(kind, i, middle), kind === 'areas' ? areaLayer(i).getBounds() : null);
}

function searchSection() {
  const box = el('input');
  const results = el('ul');
  const help = word(app.finders ? 'find_help' : 'search_help');
  const line = ({ kind, name, id, go }) => {
    const beside = name && id ? datum('span.id', id) : null;
    return button('button', go, datum('span.name', name || id), beside, el('span.kind', word(kind)));
  };
  const fill = () => {
    const hits = found(searched.text);
    const none = searched.text.trim() && !hits.length ? [el('p.caption', word('search_none'))] : [];
    results.replaceChildren(...(none.length ? none : hits.map(line)).map((each) => el('li', each)));
  };
  Object.assign(box, { type: 'search', id: 'search', value: searched.text, placeholder: help });
  box.setAttribute('aria-label', `${word('search')}: ${help}`);
  box.addEventListener('input', () => {
    searched.text = box.value;
    fill();
  });
  // Enter leads to the first, unless it ends the writing of a Chinese word.
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.isComposing) found(searched.text)[0]?.go();
  });
  results.setAttribute('aria-live', 'polite');
  fill();
  return el('section.search.list', box, results);
}
