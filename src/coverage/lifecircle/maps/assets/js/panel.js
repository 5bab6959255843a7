// The panel: which state is shown, the figures, the layers with their legend, and the lists that move the map.

const FEW = 8; // as many proposed sites as are listed without being asked for
open.sites = data.sites.filter((site) => site.state === 'chosen').length <= FEW;

function stageSwitch() {
  if (data.stages.length < 2) return data.scenario === null ? null : el('p.stage-name', stageName(0));
  return segments('stage', data.stages.map((_, i) => stageName(i)), view.stage, word('stage_label'));
}

function stageName(i) {
  if (data.scenario === null || (data.stages.length > 1 && i === 0)) return word('stage_today');
  return data.scenario ? word('stage_plan_named', { name: data.scenario }) : word('stage_plan');
}

function figuresSection() {
  const { total } = figuresOf(view.stage);
  const today = view.stage > 0 ? figuresOf(0).total : null;
  const lost = outsidePairs(total);
  if (!total.unplaced) lost.pop();
  const part = section('figures', groupChoice(), circleBars(total, today, 'today_was'), pairs(lost));
  part.firstChild.append(el('small', word('residents_n', { n: people(total.residents) })));
  return part;
}

function layersSection() {
  const layers = [
    ['buildings', () => classesLegend(CIRCLE_PALETTE, className)],
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
  const rows = (list) => list.filter(Boolean).map((layer) => layerRow(...layer));
  return section('layers', ...rows(layers), el('div.of-circle', circleChoice(), ...rows(ofOneCircle)));
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

function shadingLegend() {
  const ramp = el('span.ramp');
  ramp.style.backgroundImage = `linear-gradient(to right, ${SHADES.map((rgb) => css(rgb)).join(',')})`;
  return el('p.scale', '0%', ramp, '100%', el('span.swatch.no-share'), word('shading_none'));
}

function sitesList() {
  const chosen = data.sites.filter((site) => site.state === 'chosen' && stationOf.has(site.id));
  chosen.sort((a, b) => a.order - b.order);
  return list('sites', 'sites_list', chosen, (site) => {
    const i = stationOf.get(site.id);
    const station = data.stations[i];
    return button(
      'button',
      () => goTo(stationDetail(i)),
      el('span.key.site', isInOrder(site) ? count(site.order) : ''),
      datum('span.name', station.name || station.id),
      el('span.figure', site.gain === null ? '' : `+${people(site.gain)}`),
    );
  });
}

function areasList() {
  const caption = data.groups.length > 1 ? `${circleName(view.circle)} · ${groupName()}` : circleName(view.circle);
  const line = (row) => {
    const part = figuresOf(view.stage).rows[row].share[view.circle];
    const bar = el('span.fill');
    bar.style.width = `${100 * (part || 0)}%`;
    bar.style.backgroundColor = css(circleColour(view.circle));
    return button(
      'button',
      () => goTo(areaDetail(row), areaLayer(row).getBounds()),
      datum('span.name', data.areas[row].name || data.areas[row].id),
      el('span.figure', share(part)),
      el('span.track', bar),
    );
  };
  return list('areas', 'areas_list', areasShown(), line, caption);
}

function unservedList() {
  if (isToday()) return null;
  const rows = data.unserved.map((_, i) => i).filter((i) => data.unserved[i].circle === view.circle);
  const line = (i) => {
    const cluster = data.unserved[i];
    const area = areaOf.get(cluster.area);
    return button(
      'button',
      () => goTo(clusterDetail(i)),
      datum('span.name', area === undefined ? cluster.id : data.areas[area].name || cluster.area),
      el('span.figure', people(cluster.residents)),
    );
  };
  return list('unserved', 'unserved', rows, line, circleName(view.circle));
}

function stationsList() {
  const rows = data.stations.map((_, i) => i).filter((i) => data.stations[i].state !== 'chosen');
  const { served } = data.stages[view.stage];
  const line = (i) =>
    button(
      'button',
      () => goTo(stationDetail(i)),
      datum('span.name', data.stations[i].name || data.stations[i].id),
      el('span.figure', people(served[i])),
    );
  return list('stations', 'stations', rows, line, word('serves'));
}

function fillPanel() {
  const lists = [areasList(), unservedList(), stationsList()];
  const parts = [stageSwitch(), searchSection(), figuresSection(), sitesList(), layersSection(), ...lists];
  refill(document.getElementById('contents'), parts);
  const { total } = figuresOf(view.stage);
  document.getElementById('peek').replaceChildren(
    ...data.circles.map((_, i) => el('span', datum('span', circleName(i)), el('strong', share(total.share[i])))),
  );
}

