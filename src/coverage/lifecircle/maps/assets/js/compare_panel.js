// The panel of a comparison: which two states, which circle, group and speed; the figures, search, areas and legend.

open.changes = true;

// The choice of a side, and of the year where its scenario is built in years.
function sideChoice(side) {
  const state = view[side];
  const years = yearsOf(state);
  const built = years[years.length - 1];
  const nameOf = (i) => (i === data.baseline ? word('baseline_named', { name: scenarioName(i) }) : scenarioName(i));
  const chooser = choice(side, BUILT.map(nameOf), BUILT.indexOf(built), (i) => app.choose(side, BUILT[i]));
  if (years.length < 2) return [chooser];
  const slider = el('input');
  const at = years.indexOf(state);
  Object.assign(slider, { type: 'range', id: `year-${side}`, min: 1, max: years.length, step: 1, value: at + 1 });
  const told = el('span');
  const tell = () => {
    told.textContent = word('year_by', { n: count(Number(slider.value)) });
    slider.setAttribute('aria-valuetext', word('year_n', { n: count(Number(slider.value)) }));
  };
  slider.addEventListener('input', tell);
  slider.addEventListener('change', () => app.choose(side, years[slider.value - 1]));
  tell();
  return [chooser, el('label.year', told, slider)];
}

function choicesSection() {
  const exchange = button('button.link', app.exchange, word('exchange'));
  exchange.id = 'exchange';
  const node = section(
    'sides',
    ...sideChoice('left'),
    ...sideChoice('right'),
    el(
      'div.of-circle',
      circleChoice(),
      groupChoice(),
      choice('pace', data.paces.map((_, i) => paceName(i)), view.speed, (i) => app.choose('speed', i)),
    ),
  );
  node.firstChild.append(exchange);
  return node;
}

function figuresSection() {
  const [before, after] = [view.left, view.right].map((state) => figuresOf(state));
  if (!before || !after) return section('figures', el('p.caption', word('year_speed')));
  const ofBaseline = view.left === data.baseline;
  const hanging = ofBaseline && hangingOf(view.right, view.circle);
  const node = section(
    'figures',
    circleBars(after, before, 'left_was'),
    ofBaseline ? el('p.caption', datum('span', circleName(view.circle))) : null,
    ofBaseline
      ? pairs([
          [word('won'), figure(after.won[view.circle])],
          [word('lost_from'), figure(after.lost[view.circle])],
          [word('nearer'), figure(after.nearer)],
          [word('farther_walk'), figure(after.farther)],
        ])
      : null,
    data.least ? el('p.caption', dashMeaning()) : null,
    hanging ? remark(hangsHow(stateName(view.right), view.circle, hanging)) : null,
  );
  node.firstChild.append(datum('small', groupName()));
  return node;
}

function areasList(sums) {
  const rows = areaChanges(sums);
  const line = ({ area, shares: [then, now], change }) => {
    const bar = el('span.fill');
    bar.style.width = `${100 * (now || 0)}%`;
    bar.style.backgroundColor = css(circleColour(view.circle));
    const was = el('span.mark-today');
    was.style.left = `${100 * (then || 0)}%`;
    return button(
      'button',
      () => goToPlace('areas', area),
      datum('span.name', areaName(area)),
      el('span.kind', `${share(then)} → ${share(now)}`),
      el('span.figure', signed(change)),
      el('span.track', bar, then === null ? null : was),
    );
  };
  return list('changes', 'areas_change', rows, line, `${circleName(view.circle)} · ${groupName()}`);
}

function layersSection() {
  const change = view.kind === 'change';
  const legend = () =>
    change ? classesLegend(CHANGE_PALETTE, changeName) : classesLegend(CIRCLE_PALETTE, className);
  const marks = () =>
    el(
      'ul.legend.in-line',
      el('li', el('span.key.station.new'), word('new_sites')),
      el('li', el('span.key.closed'), word('is_closed')),
    );
  const buildings = layerRow('buildings', legend);
  if (change) buildings.querySelector('.label').textContent = word('buildings_change');
  return section(
    'layers',
    buildings,
    data.stations.length ? layerRow('stations', marks, el('span.key.station')) : null,
    layerRow('streets', null, el('span.key.street')),
    data.areas.length ? layerRow('borders', levelChoice, el('span.key.border')) : null,
    datum('p.caption', word('map_walks', { name: lotName() })),
  );
}

function fillPanel(sums) {
  const parts = [choicesSection(), figuresSection(), searchSection(), areasList(sums), layersSection()];
  refill(document.getElementById('contents'), parts);
  const figures = figuresOf(view.right);
  document.getElementById('peek').replaceChildren(
    el('span', datum('span', stateName(view.right)), el('strong', share(figures && figures.share[view.circle]))),
  );
}
