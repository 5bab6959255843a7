// What a click shows on the page of requests.

const MOST_LINES = 8;
const requestsN = (n) => (n === 1 ? word('request_one') : word('requests_n', { n: count(n) }));
const minutesOf = (tenths) => minutes(tenths / TENTHS);

// A line of figures by class: a bar of their colours, as long as there are requests beside the most of any line.
function classTrack(classes, most) {
  const bar = el('span.track.stacked');
  for (let k = 0; k < NO_PLACE; k++) {
    const part = el('span.fill');
    part.style.width = `${(100 * classes[k]) / Math.max(1, most)}%`;
    part.style.backgroundColor = css(POINT_PALETTE[k].colour);
    bar.append(part);
  }
  return bar;
}

function pointSwatch(k) {
  const node = el(`span.swatch.spot${POINT_PALETTE[k]?.pointed ? '.pointed' : ''}`);
  if (k < NO_PLACE) node.style.backgroundColor = css(POINT_PALETTE[k].colour);
  else node.classList.add('outlined');
  return node;
}

// Lines of [text from data, n], the first few of them, then how many more there are.
function fewLines(lines) {
  const shown = lines.slice(0, MOST_LINES).map(([name, n]) => el('li', datum('span.name', name), el('span', count(n))));
  const more = lines.length - shown.length;
  return el('ul.counts', ...shown, more > 0 ? el('li.more', word('more_n', { n: count(more) })) : null);
}

function onlyButton(facet, value) {
  const on = chosen[facet].has(value);
  return button('button.quiet.only', () => app.pick(facet, value), word(on ? 'show_all_again' : `only_${facet}`));
}

function walkOfGroup({ station, tenths, metres: m }) {
  return station ? el('p.walk', el('strong', minutesOf(tenths)), metres(m), datum('span', stationName(station))) : null;
}

function placeCard(scene, p) {
  const groups = askedAt(scene.requests, scene.counted, p);
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  const area = scene.requests.areaOfPlace[p];
  const many = groups.length > 1;
  const parts = groups.slice(0, 3).flatMap((group) => {
    const lines = [...group.items].map(([key, times]) => {
      const [item, month] = key.split(' ').map(Number);
      return [`${itemName(item)} · ${monthName(month)}`, times, month];
    });
    lines.sort((a, b) => a[2] - b[2]);
    return [
      el('p.verdict', pointSwatch(group.far), el('span', farName(group.far), many ? ` · ${requestsN(group.n)}` : '')),
      walkOfGroup(group),
      el('p.why', reasonName(group.reason)),
      fewLines(lines),
    ];
  });
  const more = groups.length - 3;
  return el(
    'article.card.place',
    el('p.kicker', area ? datum('span', areaName(area)) : word('outside_areas')),
    el('h3', requestsN(n)),
    ...parts,
    more > 0 ? el('p.why', word('groups_more', { n: count(more) })) : null,
  );
}

function stationCard(scene, i) {
  const station = data.stations[i];
  const { n, times, items } = takenBy(scene.requests, scene.counted, i + 1);
  const area = areaOf.get(station.area);
  return card(word('station'), station.name || station.id, [
    pairs([
      [word('takes'), el('strong', requestsN(n))],
      [word('walk_half'), minutes(quantile(times, 0.5))],
      [word('walk_nine'), minutes(quantile(times, 0.9))],
    ]),
    n ? classTrack(classesIn(scene.counted.stationClasses, i + 1), n) : null,
    fewLines(items.map(([item, times]) => [itemName(item), times])),
    pairs([
      [word('tier'), named(station.tier)],
      area !== undefined && [word('area'), named(data.areas[area].name)],
      [word('id'), named(station.id)],
    ]),
    station.outside ? remark(word('outside')) : null,
    onlyButton('station', i + 1),
  ]);
}

function areaCard(scene, row) {
  const area = data.areas[row];
  const classes = classesIn(scene.areas, row + 1);
  const n = sumOf(classes);
  return card(area.level ? levelName(area.level) : word('area'), area.name || area.id, [
    el('p.walk', el('strong', requestsN(n))),
    n ? classTrack(classes, n) : null,
    pairs([
      ...[...classes].slice(0, NO_PLACE).map((k, i) => k > 0 && [farName(i), `${count(k)} · ${share(k / n)}`]),
      [word('id'), named(area.id)],
    ]),
    onlyButton('area', row + 1),
  ]);
}

function placeTip(scene, p) {
  const [first] = askedAt(scene.requests, scene.counted, p);
  return el(
    'div.tip',
    el('strong', requestsN(scene.counted.atPlace[p])),
    el('span', first.station ? `${minutesOf(first.tenths)} · ${stationName(first.station)}` : farName(first.far)),
  );
}

function stationTip(scene, i) {
  return el('div.tip', datum('strong', stationName(i + 1)), el('span', requestsN(scene.taken[i + 1])));
}
