// States: today, the scenarios and their years; how the buildings fare in each, and what changes between two of them.

const STATE_FACTS = ['code', 'station', 'ms'];
const N_STATUSES = 3;
const MS_A_TENTH = 6000;
const BUILT = data.states.map((_, i) => i).filter((i) => data.states[i].year === null);
const STATED = data.paces.indexOf(1);

// Greens win and browns lose; the ends are darker, and losses hatched: they hold for the colour-blind and in grey.
const CHANGES = ['changed_won', 'changed_nearer', 'changed_none', 'changed_farther', 'changed_lost'];
const [WON, NEARER, SAME, FARTHER, LOST] = CHANGES.keys();
const CHANGE_PALETTE = [
  { colour: [0, 92, 80] },
  { colour: [110, 196, 178] },
  { colour: [214, 210, 202] },
  { colour: [240, 180, 105], hatched: true },
  { colour: [158, 60, 8], hatched: true },
];
const changeName = (i) => word(CHANGES[i]);

const openIn = data.states.map((state) => new Set(state.open));
const isStanding = (station) => openIn[0].has(station);

// What a station is in a state: one of today's or a new one, or one that closes; null where it is not there.
function markIn(state, station) {
  if (!openIn[state].has(station)) return isStanding(station) ? 'closed' : null;
  if (!isStanding(station)) return 'new';
  return data.stations[station].outside ? 'outside' : 'open';
}

const sides = () => [view.left, view.right];

// The years of a state's scenario, the last of them all that is built.
const yearsOf = (state) => data.states.map((_, i) => i).filter((i) => data.states[i].name === data.states[state].name);

const scenarioName = (state) => (data.states[state].today ? word('stage_today') : data.states[state].name);

function stateName(state) {
  const { year } = data.states[state];
  return year === null ? scenarioName(state) : word('year_named', { name: scenarioName(state), n: count(year) });
}

function paceName(i) {
  const by = format(Math.abs(data.paces[i] - 1), { style: 'percent' });
  return word(i === STATED ? 'pace_stated' : data.paces[i] < 1 ? 'pace_slower' : 'pace_faster', { percent: by });
}

// --------------------------------------------------------------------------- figures

const figuresOf = (state, speed = view.speed) => (data.figures[state][speed] || [])[view.group] || null;

// The difference of two sums of residents; one that is too small to be published is not shown.
function difference(before, after) {
  if (before === null || after === null) return null;
  return Math.abs(after - before) < data.least ? null : after - before;
}

// Whether a finding on a scenario hangs on the speed; area -1 is all areas.
const hangs = new Map(data.hanging.map((row) => [row.slice(0, 4).join(' '), row.slice(4)]));
const hangingOf = (state, circle, area = -1) => hangs.get([state, circle, area, view.group].join(' '));

// Sums of residents by area: of(state, what, area) for the chosen speed, circle and group, null where not shown.
async function loadAreaFigures(packed) {
  const columns = new Columns(await unpack(packed));
  const n = data.areas.length * data.groups.length;
  const read = () => columns.take(n);
  const at = (column, area) => {
    const ten = column[area * data.groups.length + view.group];
    return ten === 0 ? null : (ten - 1) / 10;
  };
  const residents = read();
  const sums = data.states.map(({ year }) =>
    data.paces.map((_, speed) => {
      if (year !== null && speed !== STATED) return null;
      return data.circles.map(() => ({ within: read(), won: read(), lost: read() }));
    }),
  );
  return {
    residents: (area) => at(residents, area),
    of: (state, what, area) => {
      const found = sums[state][view.speed];
      return found && at(found[view.circle][what], area);
    },
  };
}

// How an area changes from the left to the right; who comes in and leaves, and what hangs on the speed, is known beside
// the baseline alone.
function areaChange(sums, area) {
  const residents = sums.residents(area);
  const within = sides().map((state) => sums.of(state, 'within', area));
  const shares = within.map((inside) => (inside === null || !residents ? null : inside / residents));
  const moved = (what) => (view.left === data.baseline ? sums.of(view.right, what, area) : null);
  return {
    area,
    residents,
    within,
    shares,
    change: difference(...within),
    won: moved('won'),
    lost: moved('lost'),
    hanging: view.left === data.baseline ? hangingOf(view.right, view.circle, area) : undefined,
  };
}

// The areas of the chosen level, the largest change first, what is not shown last.
function areaChanges(sums) {
  const rows = areasShown().map((area) => areaChange(sums, area));
  const size = ({ change }) => (change === null ? -1 : Math.abs(change));
  return rows.sort((a, b) => size(b) - size(a));
}

// --------------------------------------------------------------------------- buildings

const factsOf = (buildings, state) => buildings.facts[data.groups[view.group].lot * data.states.length + state];

function classOf(code) {
  const circles = Math.floor(code / N_STATUSES);
  return circles ? 31 - Math.clz32(circles & -circles) : data.circles.length + (code % N_STATUSES);
}

function walkIn(buildings, i, state) {
  const { code, station, ms } = factsOf(buildings, state);
  const row = station[i] - 1;
  return {
    class: classOf(code[i]),
    station: row < 0 ? null : data.stations[row],
    minutes: row < 0 ? null : Math.ceil(ms[i] / MS_A_TENTH) / 10,
  };
}

const walkTold = (walk) => (walk.station ? minutes(walk.minutes) : className(walk.class));

const kept = new Map(); // columns of classes that were asked for

function keep(key, make) {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key);
}

function classesIn(buildings, state) {
  return keep(`${data.groups[view.group].lot} ${state}`, () => factsOf(buildings, state).code.map(classOf));
}

// How each building fares on the right beside the left: the chosen circle counts first, then the walk.
function changesBetween(buildings, left, right) {
  const [before, after] = [left, right].map((state) => factsOf(buildings, state));
  const circle = (code) => (Math.floor(code / N_STATUSES) >> view.circle) & 1;
  const far = ({ station, ms }, i) => (station[i] ? ms[i] : Infinity);
  return keep(`${data.groups[view.group].lot} ${left} ${right} ${view.circle}`, () =>
    before.code.map((code, i) => {
      const gained = circle(after.code[i]) - circle(code);
      if (gained) return gained > 0 ? WON : LOST;
      const [then, now] = [far(before, i), far(after, i)];
      return now === then ? SAME : now < then ? NEARER : FARTHER;
    }),
  );
}
