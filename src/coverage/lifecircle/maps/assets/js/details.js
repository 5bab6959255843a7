// What a click shows: one card each for a building, a station or site, an area, an unserved area.

const WALK_FACTS = ['class', 'station', 'tenthsOfMinutes', 'metres', 'access', 'egress', 'flags'];
const stationOf = new Map(data.stations.map((station, i) => [station.id, i]));
const siteOf = new Map(data.sites.map((site) => [site.id, site]));

function walkOf(i, stage) {
  const facts = factsOf(stage);
  const station = facts.station[i];
  return {
    class: facts.class[i],
    station: station ? data.stations[station - 1] : null,
    minutes: station ? facts.tenthsOfMinutes[i] / 10 : null,
    metres: station ? facts.metres[i] : null,
    access: facts.access[i],
    egress: facts.egress[i],
    blocked: (facts.flags[i] & 1) > 0,
    edge: (facts.flags[i] & 2) > 0,
  };
}

const walkText = (walk) => (walk.station ? `${minutes(walk.minutes)} · ${metres(walk.metres)}` : className(walk.class));

function buildingCard(buildings, i) {
  const walk = walkOf(i, view.stage);
  const today = view.stage > 0 ? walkOf(i, 0) : null;
  const area = buildings.area[i];
  const name = buildings.names[i];
  const status = { [HATCHED]: 'status_unreachable', [OUTLINED]: 'status_unsnappable' }[walk.class];
  return card(word('building'), name || buildings.ids[i], [
    el('p.verdict', swatch(CIRCLE_PALETTE[walk.class]), datum('span', status ? word(status) : className(walk.class))),
    walk.station
      ? el('p.walk', el('strong', minutes(walk.minutes)), el('span', metres(walk.metres)), wayButton(i, walk))
      : null,
    pairs([
      [word('residents'), residentsOf(buildings, i)],
      [word('nearest_station'), walk.station ? named(walk.station.name || walk.station.id) : word('no_station')],
      walk.station && walk.metres > 0 && [
        word('legs'),
        word('legs_n', { access: count(walk.access), egress: count(walk.egress) }),
      ],
      today && walkText(today) !== walkText(walk) && [word('today_walk'), walkText(today)],
      data.lots.length > 1 && [word('walks_of'), named(lotName())],
      area > 0 && [word('area'), named(data.areas[area - 1].name)],
      name && [word('id'), named(buildings.ids[i])],
    ]),
    walk.blocked ? remark(word('remark_leg_blocked')) : null,
    walk.edge ? remark(word('remark_edge')) : null,
    wayRemark(i, walk),
  ]);
}

// Whether a site has a place in an order of opening; one that is opened by hand has none.
const isInOrder = (site) => site !== undefined && site.order !== null;

function stationCard(i) {
  const station = data.stations[i];
  const site = siteOf.get(station.id);
  const area = areaOf.get(station.area);
  const chosen = station.state === 'chosen';
  const closes = station.state === 'closed' && !isToday();
  const kicker = chosen
    ? [word('station_chosen'), ...(isInOrder(site) ? [word('order', { n: count(site.order) })] : [])].join(' · ')
    : word(closes ? 'station_closed' : 'station_today');
  return card(kicker, station.name || station.id, [
    pairs([
      chosen && site && site.gain !== null && [word('gain'), el('strong', people(site.gain))],
      chosen && site && site.saves && [word('saves'), el('strong', count(site.saves))],
      site && site.served !== undefined && !isToday() && [word('served'), el('strong', people(site.served))],
      [word('serves'), people(data.stages[view.stage].served[i])],
    ]),
    site ? byCircle(site, closes ? ['lost'] : ['reached', 'only_here']) : null,
    pairs([
      closes && site && [word('farther'), people(site.farther)],
      closes && site && site.farther > 0 && [word('farther_by'), fartherBy(site)],
      site && site.stand_in && [word('stand_in'), standIn(site)],
      [word('kind'), named(station.kind)],
      [word('tier'), named(station.tier)],
      area !== undefined && [word('area'), named(data.areas[area].name)],
      [word('id'), named(station.id)],
    ]),
    station.outside ? remark(word('outside')) : null,
  ]);
}

// By how much they walk farther, as far as it is known and told.
function fartherBy({ farther_minutes: [mean, max], stranded }) {
  const told = [
    mean !== null && word('farther_mean', { mean: minutes(mean) }),
    max !== null && word('farther_max', { max: minutes(max) }),
    stranded && word('stranded'),
  ];
  return told.filter(Boolean).join(' · ') || NOTHING;
}

// The site to take in the place of another, and whether the plan is as good with it.
function standIn(site) {
  return site.as_good ? el('span', named(site.stand_in), ` · ${word('as_good')}`) : named(site.stand_in);
}

// Rows of residents with a column for each circle.
function byCircle(site, keys) {
  const names = data.circles.map((_, i) => datum('th', circleShort(i)));
  const lines = keys.map((key) =>
    el('tr', el('th', word(key)), ...site[key].map((value) => el('td', people(value)))),
  );
  return el('table.by-circle', el('thead', el('tr', el('th', word('residents')), ...names)), el('tbody', ...lines));
}

// A word with a text from data in it, kept apart so that its direction stays its own.
function labelled(key, text) {
  const [before, after] = word(key, { circle: '\u0000', name: '\u0000' }).split('\u0000');
  return el('span', before, el('bdi', text), after);
}

function areaCard(row) {
  const area = data.areas[row];
  const figures = figuresOf(view.stage).rows[row];
  const today = view.stage > 0 ? figuresOf(0).rows[row] : null;
  return card(area.level ? levelName(area.level) : word('area'), area.name || area.id, [
    view.group ? el('p.verdict', datum('span', groupName())) : null,
    circleBars(figures, today, 'today_was'),
    pairs([
      [word('residents'), people(figures.residents)],
      ...outsidePairs(figures),
      [word('buildings_count'), count(figures.buildings)],
      [word('stations_count'), count(figures.stations)],
      [word('per_station'), people(figures.residents_per_station)],
      [word('walk_mean'), metres(figures.walk_mean_m)],
      [word('walk_p90'), metres(figures.walk_p90_m)],
      [word('id'), named(area.id)],
    ]),
  ]);
}

function clusterCard(cluster) {
  const station = data.stations[stationOf.get(cluster.station)];
  const area = areaOf.get(cluster.area);
  return card(labelled('cluster_of', circleShort(cluster.circle)), area === undefined ? cluster.id : data.areas[area].name, [
    pairs([
      [word('residents'), el('strong', people(cluster.residents))],
      [word('buildings_count'), count(cluster.buildings)],
      [word('nearest_station'), station ? named(station.name || station.id) : word('no_station')],
      [word('nearest_minutes'), minutes(cluster.minutes)],
      [word('best_candidate'), cluster.candidate ? named(cluster.candidate) : word('none')],
      [word('best_residents'), people(cluster.wins)],
      [word('id'), named(cluster.id)],
    ]),
  ]);
}

// What hovering shows.
function buildingTip(buildings, i) {
  const walk = walkOf(i, view.stage);
  return el(
    'div.tip',
    el('strong', walkText(walk)),
    walk.station ? datum('span', walk.station.name || walk.station.id) : null,
    el('span', word('residents_n', { n: residentsOf(buildings, i) })),
  );
}

function stationTip(i) {
  const station = data.stations[i];
  return el('div.tip', datum('strong', station.name || station.id), named(station.kind));
}

function clusterTip(cluster) {
  return el(
    'div.tip',
    el('strong', word('residents_n', { n: people(cluster.residents) })),
    el('span', labelled('cluster_of', circleShort(cluster.circle))),
  );
}
