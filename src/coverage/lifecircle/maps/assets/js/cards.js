// What cards and tips are made of.

const areaOf = new Map(data.areas.map((area, i) => [area.id, i]));

function card(kicker, title, parts) {
  return el('article.card', el('p.kicker', kicker), datum('h3', title), ...parts);
}

// The residents of a building as text; of rounded ones none means that they are too few to be shown.
function residentsOf(buildings, i) {
  const ten = buildings.tenResidents[i];
  return people(data.rounded && ten === 0 ? null : ten / 10);
}

// Pairs of [label, value]; a value from data comes as an element, and pairs without a value are left out.
function pairs(list) {
  const rows = list.filter((row) => row && row[1] !== null && row[1] !== NOTHING);
  return el('dl', ...rows.map(([label, value]) => el('div', el('dt', label), el('dd', value))));
}

const named = (text) => (text ? datum('span', text) : null);
const remark = (text) => el('p.remark', text);

// The mark of a class of a palette.
function swatch({ colour, hatched, outlined }) {
  const node = el(`span.swatch${outlined ? '.outlined' : ''}`);
  const pale = css(mix(colour, [255, 255, 255], 0.72));
  if (hatched) node.style.background = `repeating-linear-gradient(-45deg, ${css(colour)} 0 2.6px, ${pale} 2.6px 4.2px)`;
  else if (!outlined) node.style.backgroundColor = css(colour);
  return node;
}

// One bar for each circle: its name, share, residents, and the share of another state, told by `key`.
function circleBars(figures, other, key) {
  return el(
    'div.bars',
    ...data.circles.map((_, i) => {
      const bar = el('span.fill');
      bar.style.width = `${100 * (figures.share[i] || 0)}%`;
      bar.style.backgroundColor = css(circleColour(i));
      const mark = el('span.mark-today');
      if (other) mark.style.left = `${100 * (other.share[i] || 0)}%`;
      return el(
        'div.bar',
        datum('span.name', circleName(i)),
        el('strong', share(figures.share[i])),
        el('span.track', bar, other ? mark : null),
        el('span.people', word('residents_n', { n: people(figures.within[i]) })),
        other ? el('span.was', word(key, { share: share(other.share[i]) })) : null,
      );
    }),
  );
}

function outsidePairs(figures) {
  return [
    [className(data.circles.length), people(figures.beyond)],
    [word('unreachable'), people(figures.unreachable)],
    [word('unsnappable'), people(figures.unsnappable)],
    [word('unplaced'), people(figures.unplaced)],
  ];
}
