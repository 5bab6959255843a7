// The panel: which state is shown, the figures, the layers with their legend, and the lists that move the map.

const FEW = 8; // as many proposed sites as are listed without being asked for
const open = { sites: data.sites.filter((site) => site.state === 'chosen').length <= FEW }; // which lists are unfolded

function section(key, ...children) {
  return el('section', el('h2', word(key)), ...children);
}

function stageSwitch(app) {
  if (data.stages.length < 2) return data.scenario === null ? null : el('p.stage-name', stageName(0));
  const group = el(
    'div.stages',
    ...data.stages.map((_, i) => {
      const choice = button('button', () => app.setStage(i), el('bdi', stageName(i)));
      choice.id = `stage-${i}`;
      choice.setAttribute('aria-pressed', String(i === view.stage));
      return choice;
    }),
  );
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', word('stage_label'));
  return group;
}

function stageName(i) {
  if (data.scenario === null || (data.stages.length > 1 && i === 0)) return word('stage_today');
  return data.scenario ? word('stage_plan_named', { name: data.scenario }) : word('stage_plan');
}

function figuresSection() {
  const { total } = data.stages[view.stage];
  const today = view.stage > 0 ? data.stages[0].total : null;
  const lost = outsidePairs(total);
  if (!total.unplaced) lost.pop();
  const part = section('figures', circleBars(total, today), pairs(lost));
  part.firstChild.append(el('small', word('residents_n', { n: people(total.residents) })));
  return part;
}

function layersSection(app) {
  const layers = [
    ['buildings', buildingsLegend],
    data.stations.length && ['stations', closedLegend, el('span.key.station')],
    data.sites.length && ['sites', null, el('span.key.site', '1')],
    ['service_areas', areasLegend],
    ['streets', null, el('span.key.street')],
    data.areas.length && ['borders', levelChoice, el('span.key.border')],
  ];
  const ofOneCircle = [
    data.areas.length && ['shading', shadingLegend],
    data.unserved.length && ['unserved', null, el('span.key.cluster', count(123))],
  ];
  const rows = (list) => list.filter(Boolean).map((layer) => layerRow(app, ...layer));
  const names = data.circles.map((_, i) => circleName(i));
  const chooser = names.length > 1 ? choice('circle', names, view.circle, app.setCircle) : null;
  return section('layers', ...rows(layers), el('div.of-circle', chooser, ...rows(ofOneCircle)));
}

function layerRow(app, key, legend, mark) {
  const box = el('input');
  box.type = 'checkbox';
  box.id = `layer-${key}`;
  box.checked = app.shown[key];
  box.addEventListener('change', () => app.show(key, box.checked));
  return el('div.layer', el('label', box, el('span.label', word(key)), mark || null), legend ? legend(app) : null);
}

function buildingsLegend() {
  const rows = CLASS_COLOURS.map((_, i) => el('li', swatch(i), datum('span', className(i))));
  return el('ul.legend', ...rows, el('li.pale', el('span.swatch.faded'), word(data.rounded ? 'buildings_few' : 'buildings_empty')));
}

// The mark of stations that close, where the plan closes any.
function closedLegend() {
  if (isToday() || !data.stations.some(({ state }) => state === 'closed')) return null;
  return el('ul.legend.in-line', el('li', el('span.key.closed'), word('station_closed')));
}

function areasLegend() {
  const rows = data.circles.map((_, i) => {
    const mark = el('span.swatch.area');
    mark.style.backgroundColor = css(circleColour(i), 0.2);
    mark.style.borderColor = css(circleColour(i), 0.7);
    return el('li', mark, datum('span', circleName(i)));
  });
  return el('ul.legend.in-line', ...rows);
}

function choice(key, options, chosen, onChange) {
  const select = el('select', ...options.map((text, i) => new Option(text, i, false, i === chosen)));
  select.id = `choice-${key}`;
  select.addEventListener('change', () => onChange(Number(select.value)));
  return el('label.choice', el('span', word(key)), select);
}

function levelChoice(app) {
  return data.levels.length > 1 ? choice('level', data.levels.map(levelName), view.level, app.setLevel) : null;
}

function shadingLegend() {
  const ramp = el('span.ramp');
  ramp.style.backgroundImage = `linear-gradient(to right, ${SHADES.map((rgb) => css(rgb)).join(',')})`;
  return el('p.scale', '0%', ramp, '100%', el('span.swatch.no-share'), word('shading_none'));
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

function sitesList(app) {
  const chosen = data.sites.filter((site) => site.state === 'chosen' && stationOf.has(site.id));
  chosen.sort((a, b) => a.order - b.order);
  return list('sites', 'sites_list', chosen, (site) => {
    const i = stationOf.get(site.id);
    const station = data.stations[i];
    return button(
      'button',
      () => app.goTo(stationDetail(i)),
      el('span.key.site', count(site.order)),
      datum('span.name', station.name || station.id),
      el('span.figure', site.gain === null ? '' : `+${people(site.gain)}`),
    );
  });
}

function areasList(app) {
  const shown = data.areas.map((_, row) => row).filter((row) => data.areas[row].level === data.levels[view.level]);
  const caption = circleName(view.circle);
  const line = (row) => {
    const part = data.stages[view.stage].rows[row].share[view.circle];
    const bar = el('span.fill');
    bar.style.width = `${100 * (part || 0)}%`;
    bar.style.backgroundColor = css(circleColour(view.circle));
    return button(
      'button',
      () => app.goTo(areaDetail(row), areaLayer(row).getBounds()),
      datum('span.name', data.areas[row].name || data.areas[row].id),
      el('span.figure', share(part)),
      el('span.track', bar),
    );
  };
  return list('areas', 'areas_list', shown, line, caption);
}

function unservedList(app) {
  if (isToday()) return null;
  const rows = data.unserved.map((_, i) => i).filter((i) => data.unserved[i].circle === view.circle);
  const line = (i) => {
    const cluster = data.unserved[i];
    const area = areaOf.get(cluster.area);
    return button(
      'button',
      () => app.goTo(clusterDetail(i)),
      datum('span.name', area === undefined ? cluster.id : data.areas[area].name || cluster.area),
      el('span.figure', people(cluster.residents)),
    );
  };
  return list('unserved', 'unserved', rows, line, circleName(view.circle));
}

function stationsList(app) {
  const rows = data.stations.map((_, i) => i).filter((i) => data.stations[i].state !== 'chosen');
  const { served } = data.stages[view.stage];
  const line = (i) =>
    button(
      'button',
      () => app.goTo(stationDetail(i)),
      datum('span.name', data.stations[i].name || data.stations[i].id),
      el('span.figure', people(served[i])),
    );
  return list('stations', 'stations', rows, line, word('serves'));
}

function fillPanel(app) {
  const lists = [areasList(app), unservedList(app), stationsList(app)];
  const parts = [stageSwitch(app), figuresSection(), sitesList(app), layersSection(app), ...lists];
  const focused = document.activeElement && document.activeElement.id;
  const contents = document.getElementById('contents');
  const { scrollTop } = contents;
  contents.replaceChildren(...parts.filter(Boolean));
  contents.scrollTop = scrollTop;
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
  const { total } = data.stages[view.stage];
  document.getElementById('peek').replaceChildren(
    ...data.circles.map((_, i) => el('span', datum('span', circleName(i)), el('strong', share(total.share[i])))),
  );
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
