// The tables: scenarios beside the baseline, years, areas. They are what is printed, whatever the screen shows.

const SIGNED = { signDisplay: 'exceptZero' };
const ONE = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const THREE = { minimumFractionDigits: 3, maximumFractionDigits: 3 };

const told = (key, value, options) => (value === null ? NOTHING : word(key, { n: format(value, options) }));
const isFew = (value) => value !== null && Math.abs(value) < 10;

const signed = (value) => format(value, { ...SIGNED, maximumFractionDigits: isFew(value) ? 1 : 0 });
const points = (value) => told('points_n', value === null ? null : 100 * value, { ...SIGNED, ...ONE });
// A walk is told in tenths of minutes rounded up, as a circle counts it; a mean in the nearest. Differences are those of
// what is told.
const tenthsUp = (seconds) => Math.ceil(seconds / 6 - 1e-9) / 10;
const tenthsNear = (seconds) => Math.round(seconds / 6) / 10;
const thousandths = (value) => Math.round(1000 * value) / 1000;
const moreTime = (value) => told('minutes_n', value, { ...SIGNED, ...ONE });
const decimal = (value) => format(value, THREE);
const moreDecimal = (value) => format(value, { ...SIGNED, ...THREE });
const price = (value) => format(value, { maximumFractionDigits: value < 100 ? 2 : 0 });
const areaName = (row) => (row < 0 ? NOTHING : data.areas[row].name || data.areas[row].id);

const both = (main, beside) => el('span', main, el('span.beside', beside));
const mark = (hanging) => (hanging ? el('span.hangs', word('hangs')) : null);

// Rows of the table of scenarios: what is told of the figures of a state, of their change, and whether it hangs on speed.
const row = (label, tell, change = null, hanging = () => false) => ({ label, tell, change, hanging });

function plainRow(key, label, tell = people, change = signed) {
  return row(label, (f) => tell(f[key]), (f) => change(f.change[key]));
}

// A row of a figure that is rounded before it is told, and before it is held against the baseline's.
function roundedRow(key, label, rounded, tell, change) {
  const toldOf = (figures) => (figures[key] === null ? null : rounded(figures[key]));
  const more = (figures) => {
    const [now, then] = [toldOf(figures), toldOf(figuresOf(data.baseline))];
    return now === null || then === null ? null : now - then;
  };
  return row(label, (f) => tell(toldOf(f)), (f) => change(more(f)));
}

function withinRow(circle) {
  return row(
    datum('span', circleName(circle)),
    (f) => both(share(f.share[circle]), people(f.within[circle])),
    (f) => signed(f.change.within[circle]),
    (state) => hangingOf(state, circle),
  );
}

function circleRows(c) {
  const worst = (f) => both(datum('span', areaName(f.worst_area[c])), share(f.worst_share[c]));
  return [
    row(word('won'), (f) => people(f.won[c])),
    row(word('lost_from'), (f) => people(f.lost[c])),
    row(word('radius'), (f) => people(f.radius[c]), (f) => signed(f.change.radius[c])),
    row(word('worst_area'), worst, (f) => points(f.change.worst_share[c])),
    row(word('cost_per_resident'), (f) => price(f.cost_per_resident[c])),
  ];
}

// Whom stations have room for is known of scenarios under capacities, at the stated speeds.
const isAnybodyServed = () => BUILT.some((state) => (figuresOf(state)?.served ?? null) !== null);

const servedRows = () => [
  row(word('served_with'), servedTold),
  row(word('served_today'), (f) => people(f.served_today)),
];

function servedTold({ served, served_today: today }) {
  if (served === null || today === null) return people(served);
  return el('span', people(served), el('span.change', signed(served - today)));
}

const scenarioRows = () => [
  [
    word('figures'),
    [
      ...data.circles.map((_, i) => withinRow(i)),
      plainRow('beyond', className(data.circles.length)),
      plainRow('unreachable', word('unreachable')),
      row(word('unsnappable'), (f) => people(f.unsnappable)),
      row(word('unplaced'), (f) => people(f.unplaced)),
    ],
  ],
  [word('of_circle', { circle: circleName(view.circle) }), circleRows(view.circle)],
  [
    word('walks'),
    [
      roundedRow('walk_mean_s', word('time_mean'), tenthsNear, minutes, moreTime),
      roundedRow('walk_p50_s', word('time_p50'), tenthsUp, minutes, moreTime),
      roundedRow('walk_p90_s', word('time_p90'), tenthsUp, minutes, moreTime),
      roundedRow('walk_gini', word('gini'), thousandths, decimal, moreDecimal),
      row(word('nearer'), (f) => people(f.nearer)),
      row(word('farther_walk'), (f) => people(f.farther)),
    ],
  ],
  [
    word('places_money'),
    [
      plainRow('stations', word('stations_count'), count),
      plainRow('load_max', word('load_max')),
      plainRow('cost', word('cost'), count),
      ...(isAnybodyServed() ? servedRows() : []),
    ],
  ],
];

// Wide tables move sideways within themselves.
function framedTable(id, title, heads, lines) {
  const table = el('table.figures', el('thead', el('tr', ...heads)), el('tbody', ...lines));
  const frame = el('div.scroll', table);
  frame.id = id;
  frame.tabIndex = 0;
  frame.setAttribute('role', 'region');
  frame.setAttribute('aria-label', title);
  return frame;
}

const headOf = (scope, ...children) => Object.assign(el('th', ...children), { scope });

function scenariosTable(title) {
  const shown = [data.baseline, ...BUILT.filter((state) => state !== data.baseline)];
  const heads = shown.map((state) => {
    const name = datum('span', stateName(state));
    const isBaseline = state === data.baseline;
    const choose = () => app.choose('right', state);
    return headOf('col', isBaseline ? both(name, word('at_baseline')) : button('button.link', choose, name));
  });
  const cell = ({ tell, change, hanging }, state) => {
    const figures = figuresOf(state);
    if (state === data.baseline) return el('td', tell(figures));
    return el('td', tell(figures), change && el('span.change', change(figures)), mark(hanging(state)));
  };
  const lines = scenarioRows().flatMap(([name, rows]) => [
    el('tr.title', Object.assign(headOf('rowgroup', datum('span', name)), { colSpan: shown.length + 1 })),
    ...rows.map((each) => el('tr', headOf('row', each.label), ...shown.map((state) => cell(each, state)))),
  ]);
  const everyone = word('residents_n', { n: people(figuresOf(data.baseline).residents) });
  return framedTable('scenarios', title, [el('td', everyone), ...heads], lines);
}

// A finding that hangs on the speed: how many residents more are in a circle at each speed.
function hangsHow(name, circle, more) {
  const [slower, stated, faster] = more.map(signed);
  return word('hangs_how', { name, circle: circleName(circle), slower, stated, faster });
}

// What hangs on the speed, of all areas together.
function hangingList() {
  const rows = data.hanging.filter(([, , area, group]) => area < 0 && group === view.group);
  if (!rows.length) return data.rounded ? null : el('p.caption', word('hangs_not'));
  const lines = rows.map(([state, circle, , , ...more]) => datum('li', hangsHow(stateName(state), circle, more)));
  return el('div.hanging', el('h3', word('hangs')), el('ul', ...lines));
}

// What is said of scenarios by name: why there is no plan, or what is stated by hand.
function saidList(key, scenarios) {
  if (!scenarios.length) return null;
  const lines = scenarios.map(({ name, said }) =>
    el('li', datum('strong', name), ...said[view.language].map((line) => datum('p', line))),
  );
  return el('div.hanging', el('h3', word(key)), el('ul', ...lines));
}

// The years of a scenario that is built in years.
function yearsTable(state) {
  const title = word('years', { name: scenarioName(state) });
  const heads = ['year', 'stations_count', 'cost_so_far'].map((key) => headOf('col', word(key)));
  const circles = data.circles.map((_, i) => headOf('col', datum('span', circleName(i))));
  const lines = yearsOf(state).map((year, k) => {
    const figures = figuresOf(year, STATED);
    const within = data.circles.map((_, i) => {
      const { tell, change } = withinRow(i);
      return el('td', tell(figures), el('span.change', change(figures)));
    });
    const name = button('button.link', () => app.choose('right', year), word('year_n', { n: count(k + 1) }));
    return el('tr', headOf('row', name), el('td', count(figures.stations)), el('td', count(figures.cost)), ...within);
  });
  return [
    datum('h2', title),
    framedTable(`years-${state}`, title, [...heads, ...circles], lines),
    el('p.caption', word('year_speed')),
  ];
}

function areasTable(sums, title) {
  const heads = [
    ...['area', 'residents'].map((key) => headOf('col', word(key))),
    ...sides().map((state) => headOf('col', datum('span', stateName(state)))),
    ...['difference', 'won', 'lost_from'].map((key) => headOf('col', word(key))),
  ];
  const lines = areaChanges(sums).map(({ area, residents, shares, change, won, lost, hanging }) => {
    const name = button('button.link', () => goToPlace('areas', area), datum('span', areaName(area)));
    const cells = [people(residents), ...shares.map(share), el('strong', signed(change)), people(won), people(lost)];
    return el('tr', headOf('row', name, mark(hanging)), ...cells.map((cell) => el('td', cell)));
  });
  const table = framedTable('areas', title, heads, lines);
  return table.querySelector('.hangs') ? el('div', table, el('p.caption', word('hangs_areas'))) : table;
}

function areasPart(sums) {
  if (!data.areas.length) return [];
  const [left, right] = sides().map(stateName);
  const between = word('areas_between', { left, right, circle: circleName(view.circle) });
  const title = word('areas_change');
  return [el('h2', title), datum('p.caption', between), areasTable(sums, title)];
}

function fillTables(sums) {
  const title = word('scenarios', { name: stateName(data.baseline) });
  const of = word('tables_of', { group: groupName(), pace: paceName(view.speed) });
  const print = button('button.quiet.print', () => window.print(), word('print'));
  const years = BUILT.filter((state) => yearsOf(state).length > 1).flatMap(yearsTable);
  refill(document.getElementById('tables'), [
    el('div.heading', datum('h2', title), datum('p.caption', of), print),
    scenariosTable(title),
    hangingList(),
    saidList('refused', data.refused),
    saidList('by_hand', data.by_hand),
    ...years,
    ...areasPart(sums),
    el('p.caption', dashMeaning()),
    el('p.caption.on-paper', `${word('about_fingerprint')}: `, el('code', data.fingerprint || NOTHING)),
    el('div.sign.on-paper', ...['reviewed', 'signed', 'dated'].map((key) => el('p', word(key)))),
  ]);
}
