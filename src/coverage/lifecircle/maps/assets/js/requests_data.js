// The requests as typed columns; the filters; and the figures of the requests that pass them.

const BEYOND_ALL = data.circles.length; // classes of walks: the circles, then beyond them,
const BY_NOBODY = BEYOND_ALL + 1; // taken by nobody,
const NO_PLACE = BEYOND_ALL + 2; // and without a place on the map
const N_CLASSES = NO_PLACE + 1;
const FACETS = ['item', 'month', 'reason', 'far', 'station', 'area'];
const [,, REASON, , STATION, AREA] = FACETS.keys();
const TENTHS = 10;

// What is chosen of each facet: a set of values, empty for all of them. Months, stations and areas count from 1.
const chosen = Object.fromEntries(FACETS.map((facet) => [facet, new Set()]));
const isFiltered = () => FACETS.some((facet) => chosen[facet].size);

async function loadRequests(packed) {
  const columns = new Columns(await unpack(packed));
  const [nPlaces, n] = columns.take(2);
  const x = runningSum(columns.takeSigned(nPlaces));
  const y = runningSum(columns.takeSigned(nPlaces));
  const areaOfPlace = columns.take(nPlaces);
  const place = runningSum(columns.take(n));
  const [item, month, reason, far] = [0, 1, 2, 3].map(() => columns.take(n));
  const [station, tenths, metresOf] = [0, 1, 2].map(() => runningSum(columns.takeSigned(n)));
  const area = place.map((p) => (p ? areaOfPlace[p - 1] : 0));
  const each = Int32Array.from({ length: nPlaces + 1 }, (_, i) => i);
  const shapes = new Shapes(each, each, x, y);
  const firstOf = new Int32Array(nPlaces + 2); // requests of place p: firstOf[p] to firstOf[p + 1]; place 0 is none
  for (let i = 0; i < n; i++) firstOf[place[i] + 1]++;
  runningSum(firstOf);
  const sizes = {
    item: data.items.length,
    month: month.reduce((most, m) => Math.max(most, m), 0) + 1,
    reason: data.reasons.length,
    far: N_CLASSES,
    station: data.stations.length + 1,
    area: data.areas.length + 1,
  };
  const longest = tenths.reduce((most, t) => Math.max(most, t), 0);
  const values = { item, month, reason, far, station, area };
  return { n, nPlaces, shapes, place, firstOf, values, tenths, metresOf, areaOfPlace, sizes, longest };
}

// Each area and those above it, the smallest first, by their rows from 1.
const chains = data.areas.map((_, row) => {
  const chain = [];
  for (let at = row; at >= 0; at = data.areas[at].parent) chain.push(at + 1);
  return chain;
});

// Which values of a facet pass; an area lets all within it pass.
function passing(requests, facet) {
  const set = chosen[facet];
  const passes = new Uint8Array(requests.sizes[facet]).fill(set.size ? 0 : 1);
  for (const value of set) passes[value] = 1;
  if (facet === 'area' && set.size) {
    chains.forEach((chain, row) => (passes[row + 1] = Number(chain.some((above) => set.has(above)))));
  }
  return passes;
}

// Counts all requests that pass, by place and class; and for each facet those that pass all other filters.
function countRequests(requests) {
  const { n, nPlaces, place, values, tenths, sizes } = requests;
  const columns = FACETS.map((facet) => values[facet]);
  const passes = FACETS.map((facet) => passing(requests, facet));
  const by = Object.fromEntries(FACETS.map((facet) => [facet, new Int32Array(sizes[facet])]));
  const counts = FACETS.map((facet) => by[facet]);
  const classes = new Int32Array(N_CLASSES);
  const reasons = new Int32Array(sizes.reason);
  const times = new Int32Array(requests.longest + 1);
  const atPlace = new Int32Array(nPlaces);
  const placeClasses = new Int32Array(nPlaces * N_CLASSES);
  const stationClasses = new Int32Array(sizes.station * N_CLASSES);
  const areaClasses = new Int32Array(sizes.area * N_CLASSES);
  const passed = new Uint8Array(n);
  const far = values.far;
  let total = 0;
  for (let i = 0; i < n; i++) {
    let failed = 0;
    let only = -1;
    for (let f = 0; f < FACETS.length; f++) {
      if (!passes[f][columns[f][i]]) {
        failed++;
        only = f;
      }
    }
    if (failed > 1) continue;
    const k = far[i];
    if (failed) {
      counts[only][columns[only][i]]++;
      if (only === STATION) stationClasses[columns[STATION][i] * N_CLASSES + k]++;
      if (only === AREA) areaClasses[columns[AREA][i] * N_CLASSES + k]++;
      continue;
    }
    for (let f = 0; f < FACETS.length; f++) counts[f][columns[f][i]]++;
    passed[i] = 1;
    total++;
    classes[k]++;
    reasons[columns[REASON][i]]++;
    if (columns[STATION][i]) times[tenths[i]]++;
    stationClasses[columns[STATION][i] * N_CLASSES + k]++;
    areaClasses[columns[AREA][i] * N_CLASSES + k]++;
    if (place[i]) {
      atPlace[place[i] - 1]++;
      placeClasses[(place[i] - 1) * N_CLASSES + k]++;
    }
  }
  return { total, by, classes, reasons, times, atPlace, placeClasses, stationClasses, areaClasses, passed };
}

// The class that most requests of each place have; of equally many the farther one.
function classesOfPlaces({ atPlace, placeClasses }) {
  return Uint8Array.from(atPlace, (_, p) => {
    let best = 0;
    for (let k = 1; k < N_CLASSES; k++) {
      if (placeClasses[p * N_CLASSES + k] >= Math.max(1, placeClasses[p * N_CLASSES + best])) best = k;
    }
    return best;
  });
}

// The shortest walk in minutes that a part of those who walk do not exceed; null where nobody walks.
function quantile(times, part) {
  const all = times.reduce((sum, n) => sum + n, 0);
  let so = 0;
  for (let t = 0; all && t < times.length; t++) {
    so += times[t];
    if (so >= part * all) return t / TENTHS;
  }
  return null;
}

// What a station takes of the requests that pass: how many, by item, the walks, and their places.
function takenBy(requests, { passed }, station) {
  const { values, tenths, place } = requests;
  const items = new Map();
  const times = new Int32Array(requests.longest + 1);
  const places = new Set();
  let n = 0;
  for (let i = 0; i < requests.n; i++) {
    if (!passed[i] || values.station[i] !== station) continue;
    n++;
    times[tenths[i]]++;
    items.set(values.item[i], (items.get(values.item[i]) || 0) + 1);
    places.add(place[i] - 1);
  }
  return { n, times, places, items: [...items].sort((a, b) => b[1] - a[1]) };
}

// The requests of a place that pass, those that fare alike together: station, far, tenths, metres, reason, n and items.
function askedAt(requests, { passed }, p) {
  const { values, tenths, metresOf, firstOf } = requests;
  const alike = new Map();
  for (let i = firstOf[p + 1]; i < firstOf[p + 2]; i++) {
    if (!passed[i]) continue;
    const [station, reason] = [values.station[i], values.reason[i]];
    const key = `${station} ${reason} ${tenths[i]} ${metresOf[i]}`;
    if (!alike.has(key)) {
      const walk = { tenths: tenths[i], metres: metresOf[i] };
      alike.set(key, { station, reason, far: values.far[i], ...walk, n: 0, items: new Map() });
    }
    const group = alike.get(key);
    const what = `${values.item[i]} ${values.month[i]}`;
    group.n++;
    group.items.set(what, (group.items.get(what) || 0) + 1);
  }
  return [...alike.values()].sort((a, b) => b.n - a.n);
}

// Classes of the areas of a level, each area with all within it; by rows from 1.
function areaSums({ areaClasses }) {
  const sums = new Int32Array(areaClasses.length);
  chains.forEach((chain, row) => {
    for (const above of chain) {
      for (let k = 0; k < N_CLASSES; k++) sums[above * N_CLASSES + k] += areaClasses[(row + 1) * N_CLASSES + k];
    }
  });
  return sums;
}

const classesIn = (table, row) => table.subarray(row * N_CLASSES, (row + 1) * N_CLASSES);
const sumOf = (numbers) => numbers.reduce((sum, n) => sum + n, 0);

// --------------------------------------------------------------------------- what values are called

function farName(k) {
  if (k === BY_NOBODY) return word('by_nobody');
  if (k === NO_PLACE) return word('no_place');
  if (k === 0 || k === BEYOND_ALL) return className(k);
  return word('between_minutes', { from: plain(data.circles[k - 1].minutes), to: plain(data.circles[k].minutes) });
}

const itemName = (i) => (data.items[i] === null ? word('items_rare') : data.items[i] || word('item_none'));
const reasonName = (i) => data.reasons[i].said[view.language];
const stationName = (row) => data.stations[row - 1].name || data.stations[row - 1].id;
const areaName = (row) => data.areas[row - 1].name || data.areas[row - 1].id;

const monthFormats = new Map();

function monthName(month) {
  if (!month) return word('no_time');
  if (!monthFormats.has(view.language)) {
    const how = { year: 'numeric', month: 'short', timeZone: 'UTC' };
    monthFormats.set(view.language, new Intl.DateTimeFormat(LOCALE[view.language], how));
  }
  return monthFormats.get(view.language).format(Date.UTC(1970, data.first_month + month - 1));
}
