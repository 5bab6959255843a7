// The panel of the page of requests: figures, what they are filtered by, the legend, and the lists that move the map.

const ITEMS_SHOWN = 10; // as many kinds of items are listed without being asked for
const SEARCH_FROM = 15; // and a box to search them is there for as many
const ROWS_SHOWN = 200; // of lists: more are found by searching
const items = { text: '', all: false };

// A line that filters: its name, its count, and a bar beside the most of its list.
function facetRow(facet, value, name, n, most, mark = null) {
  const bar = el('span.fill');
  bar.style.width = `${(100 * n) / Math.max(1, most)}%`;
  const parts = [mark, datum('span.name', name), el('span.figure', count(n)), el('span.track', bar)];
  const line = button('button.facet', () => app.pick(facet, value), ...parts);
  line.id = `${facet}-${value}`;
  line.setAttribute('aria-pressed', String(chosen[facet].has(value)));
  if (n === 0) line.classList.add('none');
  return el('li', line);
}

function facetList(facet, rows) {
  const list = el('ul.facets', ...rows);
  list.classList.toggle('some', chosen[facet].size > 0);
  return list;
}

const valueName = {
  item: itemName,
  month: monthName,
  reason: reasonName,
  far: farName,
  station: stationName,
  area: areaName,
};

// What is filtered by, each with a button that takes it away.
function chips() {
  if (!isFiltered()) return null;
  const chip = (facet, text) => {
    const node = button('button.chip', () => app.clear(facet), datum('span', text), el('span.x', '×'));
    node.setAttribute('aria-label', word('filter_off', { name: text }));
    return node;
  };
  const made = FACETS.filter((facet) => chosen[facet].size).map((facet) => {
    const values = [...chosen[facet]].sort((a, b) => a - b);
    const first = valueName[facet](values[0]);
    const last = valueName[facet](values[values.length - 1]);
    if (values.length === 1) return chip(facet, first);
    if (facet === 'month') return chip(facet, `${first} – ${last}`);
    return chip(facet, word('chip_more', { name: first, n: count(values.length - 1) }));
  });
  return el('div.chips', ...made, button('button.link', () => app.clear(), word('filters_off')));
}

// How many requests are within each circle, one bar each.
function circleShares({ total, classes }) {
  let inside = 0;
  const bars = data.circles.map((_, i) => {
    inside += classes[i];
    const bar = el('span.fill');
    bar.style.width = `${(100 * inside) / Math.max(1, total)}%`;
    bar.style.backgroundColor = css(circleColour(i));
    return el(
      'div.bar',
      datum('span.name', circleName(i)),
      el('strong', total ? share(inside / total) : NOTHING),
      el('span.track', bar),
      el('span.people', requestsN(inside)),
    );
  });
  return el('div.bars', ...bars);
}

function figuresSection(scene) {
  const { counted, requests } = scene;
  const { total, classes, times } = counted;
  const told = (n) => (total ? `${count(n)} · ${share(n / total)}` : count(n));
  const node = section(
    'requests',
    chips(),
    circleShares(counted),
    pairs([
      [className(BEYOND_ALL), told(classes[BEYOND_ALL])],
      [word('by_nobody'), told(classes[BY_NOBODY])],
      classes[NO_PLACE] > 0 && [word('no_place'), told(classes[NO_PLACE])],
      [word('walk_half'), minutes(quantile(times, 0.5))],
      [word('walk_nine'), minutes(quantile(times, 0.9))],
    ]),
  );
  const ofAll = word('n_of_all', { n: count(total), all: count(requests.n) });
  node.firstChild.append(el('small', isFiltered() ? ofAll : requestsN(requests.n)));
  return node;
}

// --------------------------------------------------------------------------- months

const monthsOf = ({ requests }) => Array.from({ length: requests.sizes.month - 1 }, (_, i) => i + 1);

function monthSection(scene) {
  const { by } = scene.counted;
  const months = monthsOf(scene);
  const most = by.month.reduce((m, n) => Math.max(m, n), 1);
  const column = (month) => {
    const bar = el('span.fill');
    bar.style.height = `${(100 * by.month[month]) / most}%`;
    const isAlone = chosen.month.has(month) && chosen.month.size === 1;
    const node = button('button', () => app.choose('month', isAlone ? null : [month, month]), bar);
    node.id = `month-${month}`;
    node.title = `${monthName(month)}: ${requestsN(by.month[month])}`;
    node.setAttribute('aria-label', node.title);
    node.setAttribute('aria-pressed', String(chosen.month.has(month)));
    return node;
  };
  if (!months.length) return section('by_month', el('p.caption', word('no_times')));
  const bars = el('div.months', ...months.map(column));
  bars.classList.toggle('some', chosen.month.size > 0);
  const ends = el('p.ends', el('span', monthName(1)), months.length > 1 ? el('span', monthName(months.length)) : null);
  const noTime = () => facetList('month', [facetRow('month', 0, word('no_time'), by.month[0], most)]);
  const without = by.month[0] || chosen.month.has(0) ? noTime() : null;
  const node = section('by_month', bars, ends, months.length > 1 ? monthRange(months) : null, without);
  node.classList.add('by-month');
  return node;
}

// From one month to another, and a step to either side.
function monthRange(months) {
  const set = [...chosen.month].filter((month) => month > 0);
  const [from, to] = set.length ? [Math.min(...set), Math.max(...set)] : [1, months.length];
  const select = (key, value, onChange) => {
    const node = el('select', ...months.map((m) => new Option(monthName(m), m, false, m === value)));
    node.id = `month-${key}`;
    node.setAttribute('aria-label', word(key === 'from' ? 'month_from' : 'month_to'));
    node.addEventListener('change', () => onChange(Number(node.value)));
    return node;
  };
  const step = (key, by) => {
    const whole = !set.length;
    const next = whole ? (by > 0 ? [1, 1] : [months.length, months.length]) : [from + by, to + by];
    const node = button('button.quiet', () => app.choose('month', next), el('span', by < 0 ? '‹' : '›'));
    node.id = `month-${key}`;
    node.setAttribute('aria-label', word(by < 0 ? 'month_before' : 'month_after'));
    node.disabled = next[0] < 1 || next[1] > months.length;
    return node;
  };
  const pick = (a, b) => app.choose('month', a === 1 && b === months.length ? null : [a, b]);
  return el(
    'div.range',
    step('before', -1),
    select('from', from, (month) => pick(month, Math.max(month, to))),
    el('span', '–'),
    select('to', to, (month) => pick(Math.min(from, month), month)),
    step('after', 1),
  );
}

// --------------------------------------------------------------------------- items and reasons

function itemSection({ counted: { by } }) {
  const rows = data.items.map((_, i) => i).sort((a, b) => by.item[b] - by.item[a] || a - b);
  const most = by.item[rows[0]];
  const holder = el('div');
  const fill = () => {
    const wanted = items.text.trim().toLowerCase();
    const found = wanted ? rows.filter((i) => itemName(i).toLowerCase().includes(wanted)) : rows;
    const first = found.filter((i, at) => items.all || at < ITEMS_SHOWN || chosen.item.has(i));
    const toggle = () => {
      items.all = !items.all;
      fill();
    };
    const more = button('button.link', toggle, items.all ? word('fewer') : word('all_n', { n: count(found.length) }));
    holder.replaceChildren(
      facetList('item', first.map((i) => facetRow('item', i, itemName(i), by.item[i], most))),
      ...(found.length > ITEMS_SHOWN ? [more] : []),
      ...(found.length ? [] : [el('p.caption', word('search_none'))]),
    );
  };
  fill();
  if (rows.length < SEARCH_FROM) return section('by_item', holder);
  const box = el('input.find');
  Object.assign(box, { type: 'search', id: 'item-search', value: items.text, placeholder: word('item_search') });
  box.setAttribute('aria-label', word('item_search'));
  box.addEventListener('input', () => {
    items.text = box.value;
    fill();
  });
  return section('by_item', box, holder);
}

function reasonSection({ counted: { by } }) {
  const most = by.reason.reduce((m, n) => Math.max(m, n), 1);
  const groups = ['taken', 'nobody', 'unusable'].flatMap((outcome) => {
    const rows = data.reasons.map((_, i) => i).filter((i) => data.reasons[i].outcome === outcome);
    if (!rows.length) return [];
    rows.sort((a, b) => by.reason[b] - by.reason[a]);
    const sum = rows.reduce((s, i) => s + by.reason[i], 0);
    const title = el('h3', word(`outcome_${outcome}`), el('small', count(sum)));
    return [title, facetList('reason', rows.map((i) => facetRow('reason', i, reasonName(i), by.reason[i], most)))];
  });
  return section('by_reason', ...groups);
}

// --------------------------------------------------------------------------- legend and lists

function layersSection({ counted: { by } }) {
  const legend = () =>
    facetList('far', POINT_PALETTE.map((_, k) => facetRow('far', k, farName(k), by.far[k], 0, pointSwatch(k))));
  const node = section(
    'layers',
    layerRow('requests', legend),
    el('p.caption', word('point_size')),
    layerRow('stations', () => el('p.caption', word('station_size')), el('span.key.station')),
    layerRow('streets', null, el('span.key.street')),
    data.areas.length ? layerRow('borders', levelChoice, el('span.key.border')) : null,
  );
  node.classList.add('legend-section');
  return node;
}

// A list of places, those with most requests first, each with a bar of its classes.
function placesList(key, rows, table, nameOf, go) {
  const sums = new Map(rows.map((row) => [row, sumOf(classesIn(table, row))]));
  const sorted = rows.filter((row) => sums.get(row) > 0).sort((a, b) => sums.get(b) - sums.get(a));
  const most = sums.get(sorted[0]);
  const line = (row) => {
    const classes = classesIn(table, row);
    const inside = sumOf(classes.subarray(0, BEYOND_ALL)) / sums.get(row);
    return button(
      'button',
      () => go(row - 1),
      datum('span.name', nameOf(row)),
      el('span.kind', share(inside)),
      el('span.figure', count(sums.get(row))),
      classTrack(classes, most),
    );
  };
  const caption = word('list_caption', { circle: circleName(BEYOND_ALL - 1) });
  const node = list(key, key, sorted.slice(0, ROWS_SHOWN), line, caption);
  if (node) node.querySelector('.n').textContent = count(sorted.length);
  return node;
}

function fillPanel(scene) {
  const { counted } = scene;
  const stations = data.stations.map((_, i) => i + 1);
  const areas = areasShown().map((row) => row + 1);
  refill(document.getElementById('contents'), [
    searchSection(),
    figuresSection(scene),
    layersSection(scene),
    itemSection(scene),
    monthSection(scene),
    reasonSection(scene),
    placesList('stations_list', stations, counted.stationClasses, stationName, (i) => goToPlace('stations', i)),
    placesList('areas_requests', areas, scene.areas, areaName, (i) => goToPlace('areas', i)),
  ]);
  const inside = sumOf(counted.classes.subarray(0, 1));
  document.getElementById('peek').replaceChildren(
    el('span', datum('span', word('requests')), el('strong', count(counted.total))),
    el('span', datum('span', circleName(0)), el('strong', counted.total ? share(inside / counted.total) : NOTHING)),
  );
}
