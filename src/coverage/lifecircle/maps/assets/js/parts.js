// What panels are made of, and the frame around panel and map. `open` says which lists are unfolded; `app.show` and
// `app.choose` are told what somebody switches.

const open = {};

function section(key, ...children) {
  return el('section', el('h2', word(key)), ...children);
}

function layerRow(key, legend, mark) {
  const box = el('input');
  box.type = 'checkbox';
  box.id = `layer-${key}`;
  box.checked = app.shown[key];
  box.addEventListener('change', () => app.show(key, box.checked));
  return el('div.layer', el('label', box, el('span.label', word(key)), mark || null), legend ? legend() : null);
}

// The classes of buildings, each with its mark and name.
function classesLegend(palette, nameOf) {
  const rows = palette.map((style, i) => el('li', swatch(style), datum('span', nameOf(i))));
  const faded = word(data.rounded ? 'buildings_few' : 'buildings_empty');
  return el('ul.legend', ...rows, el('li.pale', el('span.swatch.faded'), faded));
}

// Buttons of which one is pressed.
function segments(key, texts, chosen, label) {
  const choices = texts.map((text, i) => {
    const choice = button('button', () => app.choose(key, i), el('bdi', text));
    choice.id = `${key}-${i}`;
    choice.setAttribute('aria-pressed', String(i === chosen));
    return choice;
  });
  const group = el('div.stages', ...choices);
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', label);
  return group;
}

// A choice of one of some texts; `onChange` is given the number of the chosen one.
function choice(key, options, chosen, onChange) {
  const select = el('select', ...options.map((text, i) => new Option(text, i, false, i === chosen)));
  select.id = `choice-${key}`;
  select.addEventListener('change', () => onChange(Number(select.value)));
  return el('label.choice', el('span', word(key)), select);
}

function levelChoice() {
  if (data.levels.length < 2) return null;
  return choice('level', data.levels.map(levelName), view.level, (i) => app.choose('level', i));
}

function circleChoice() {
  const names = data.circles.map((_, i) => circleName(i));
  return names.length > 1 ? choice('circle', names, view.circle, (i) => app.choose('circle', i)) : null;
}

function groupChoice() {
  const names = data.groups.map((_, i) => groupName(i));
  return names.length > 1 ? choice('group', names, view.group, (i) => app.choose('group', i)) : null;
}

// A list that unfolds; its rows are made when it does, for there may be a thousand.
function list(key, title, rows, row, caption) {
  if (!rows.length) return null;
  const node = el('details.list', el('summary', el('h2', word(title)), el('span.n', count(rows.length))));
  const fill = () => {
    open[key] = node.open;
    if (!node.open || node.childElementCount > 1) return;
    if (caption) node.append(datum('p.caption', caption));
    node.append(el('ol', ...rows.map((item) => el('li', row(item)))));
  };
  node.open = Boolean(open[key]);
  node.addEventListener('toggle', fill);
  fill();
  return node;
}

// The rows of the areas of the chosen level.
function areasShown() {
  const level = data.levels[view.level];
  return data.areas.flatMap((area, row) => (area.level === level ? [row] : []));
}

// Puts parts into an element in the place of others; where it is scrolled to and what has the focus stay.
function refill(node, parts) {
  const focused = document.activeElement && document.activeElement.id;
  const { scrollTop } = node;
  node.replaceChildren(...parts.filter(Boolean));
  node.scrollTop = scrollTop;
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
}

// Everything outside the map and the panel that speaks a language.
function fillFrame() {
  document.documentElement.lang = LOCALE[view.language];
  document.title = [...(data.synthetic ? [word('synthetic')] : []), data.name, word('product')].join(' · ');
  for (const node of document.querySelectorAll('[data-word]')) node.textContent = word(node.dataset.word);
  for (const node of document.querySelectorAll('[data-title]')) {
    node.title = word(node.dataset.title);
    node.setAttribute('aria-label', node.title);
  }
  document.getElementById('name').textContent = data.name;
  document.getElementById('name').title = data.name;
  const language = document.getElementById('language');
  language.textContent = word('switch');
  language.setAttribute('aria-label', word('switch_label'));
  language.lang = view.language === 'zh' ? 'en' : 'zh-CN';
  const notes = document.getElementById('notes');
  notes.replaceChildren(...data.notes.map((note) => datum('span', note[view.language])));
  notes.setAttribute('aria-label', word('notes'));
  notes.hidden = !data.notes.length;
  document.getElementById('attribution').replaceChildren(...data.attribution.map((text) => datum('span', text)));
  fillAbout();
}

function fillAbout() {
  const version = document.getElementById('licence').dataset.leaflet;
  document.getElementById('about-text').replaceChildren(
    el('p', word('about_walk')),
    el('p', word('about_answers')),
    ...data.speeds.map(({ name, speed }) => datum('p', word('about_speed', { name, speed: plain(speed) }))),
    el('p', `${word('about_fingerprint')}: `, el('code', data.fingerprint)),
    el('p', word('about_software', { version })),
  );
}
