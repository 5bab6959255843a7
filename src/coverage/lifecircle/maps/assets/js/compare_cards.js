// What a click shows on the page of a comparison: each time both sides.

const sideHeads = () =>
  sides().map((state, k) => datum('th', word(k ? 'right_named' : 'left_named', { name: stateName(state) })));

// A table with a column for each side.
function bothSides(rows) {
  const line = ([label, cells]) => el('tr', el(label ? 'th' : 'td', label), ...cells.map((cell) => el('td', cell)));
  return el('table.by-circle', el('thead', el('tr', el('td'), ...sideHeads())), el('tbody', ...rows.map(line)));
}

// What a dash stands for.
const dashMeaning = () => (data.least ? word('dash_hidden', { n: count(data.least) }) : word('dash'));

// A figure that keeps its place where it is not shown.
function figure(value, tell = people) {
  const node = el('span', tell(value));
  if (value === null) node.title = dashMeaning();
  return node;
}

function buildingCard(buildings, i) {
  const walks = sides().map((state) => walkIn(buildings, i, state));
  const name = buildings.names[i];
  const area = buildings.area[i];
  const change = changesBetween(buildings, ...sides())[i];
  const told = ({ class: k }) => el('span.told', swatch(CIRCLE_PALETTE[k]), datum('span', className(k)));
  const lost = { [HATCHED]: 'status_unreachable', [OUTLINED]: 'status_unsnappable' };
  const remarks = new Set(walks.map((walk) => lost[walk.class]).filter(Boolean));
  return card(word('building'), name || buildings.ids[i], [
    el('p.verdict', swatch(CHANGE_PALETTE[change]), changeName(change), datum('span.pale', circleName(view.circle))),
    bothSides([
      [word('walks'), walks.map((walk) => el('strong', minutes(walk.minutes)))],
      ['', walks.map(told)],
      [
        word('nearest_station'),
        walks.map(({ station }) => (station ? named(station.name || station.id) : word('no_station'))),
      ],
    ]),
    pairs([
      [word('residents'), el('span', residentsOf(buildings, i))],
      [word('group'), named(lotName())],
      area > 0 && [word('area'), named(data.areas[area - 1].name)],
      name && [word('id'), named(buildings.ids[i])],
    ]),
    ...[...remarks].map((key) => remark(word(key))),
  ]);
}

function stationCard(i) {
  const station = data.stations[i];
  const area = areaOf.get(station.area);
  const standing = isStanding(i);
  const cells = sides().map((state) => {
    const { open, served, new: opened } = data.states[state];
    const row = open.indexOf(i);
    const plan = opened[i];
    return {
      state: word(row >= 0 ? 'is_open' : standing ? 'is_closed' : 'is_absent'),
      serves: row >= 0 ? people(served[row]) : NOTHING,
      order: plan && plan.order !== null ? word('order', { n: count(plan.order) }) : '',
      opens: plan && plan.opens ? opensName(plan.opens) : '',
      cost: plan ? count(plan.cost) : '',
    };
  });
  const row = (label, key) => cells.some((cell) => cell[key]) && [label, cells.map((cell) => cell[key])];
  return card(word(standing ? 'station_today' : 'new_site'), station.name || station.id, [
    bothSides([
      ['', cells.map(({ state }) => el('strong', state))],
      [word('serves'), cells.map(({ serves }) => serves)],
      ...[row(word('sites_list'), 'order'), row(word('year'), 'opens'), row(word('cost'), 'cost')].filter(Boolean),
    ]),
    pairs([
      [word('kind'), named(station.kind)],
      [word('tier'), named(station.tier)],
      area !== undefined && [word('area'), named(data.areas[area].name)],
      [word('id'), named(station.id)],
    ]),
    station.outside ? remark(word('outside')) : null,
  ]);
}

// A year from 1, or the weekday on which a team stops there.
const opensName = (opens) => (/^\d+$/.test(opens) ? word('year_n', { n: count(Number(opens)) }) : opens);

function areaCard(row, sums) {
  const area = data.areas[row];
  const { residents, within, shares, change, won, lost, hanging } = areaChange(sums, row);
  return card(area.level ? levelName(area.level) : word('area'), area.name || area.id, [
    el('p.verdict', datum('span', circleName(view.circle)), datum('span.pale', groupName())),
    bothSides([
      ['', shares.map((part) => el('strong', share(part)))],
      [word('inside'), within.map(people)],
    ]),
    pairs([
      [word('difference'), el('strong', figure(change, signed))],
      view.left === data.baseline && [word('won'), figure(won)],
      view.left === data.baseline && [word('lost_from'), figure(lost)],
      [word('residents'), figure(residents)],
      [word('id'), named(area.id)],
    ]),
    hanging ? remark(hangsHow(stateName(view.right), view.circle, hanging)) : null,
  ]);
}

function buildingTip(buildings, i) {
  const [before, after] = sides().map((state) => walkIn(buildings, i, state));
  return el(
    'div.tip',
    el('strong', `${walkTold(before)} → ${walkTold(after)}`),
    after.station ? datum('span', after.station.name || after.station.id) : null,
    el('span', word('residents_n', { n: residentsOf(buildings, i) })),
  );
}

function stationTip(i) {
  const station = data.stations[i];
  return el('div.tip', datum('strong', station.name || station.id), named(station.kind));
}
