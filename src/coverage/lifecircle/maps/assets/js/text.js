// Words, numbers and elements. Whatever comes from data reaches the page through textContent alone.

const data = JSON.parse(document.getElementById('data').textContent);
const LOCALE = { zh: 'zh-CN', en: 'en' };
const NOTHING = '–';

// What the page shows at this moment.
const view = { language: data.language, ...data.start };

// A word of the page, its {marks} filled with values.
function word(key, values = {}) {
  return data.words[view.language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// What a level of areas is called.
const levelName = (level) => data.level_names[level][view.language];

const groupName = (i = view.group) => data.groups[i][view.language];
const lotOf = () => data.groups[view.group].lot; // the speed class whose walks the map shows
const lotName = () => data.lots[lotOf()][view.language];

const formats = new Map();

function format(value, options) {
  if (value === null || value === undefined) return NOTHING;
  const key = view.language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(LOCALE[view.language], options));
  return formats.get(key).format(value);
}

const count = (value) => format(value, { maximumFractionDigits: 0 });
const people = (value) => format(value, { maximumFractionDigits: value !== null && Math.abs(value) < 10 ? 1 : 0 });
const plain = (value) => format(value, { maximumFractionDigits: 2, useGrouping: false });
// A share that is not all never reads 100 %, one that is not nothing never 0 %.
const ROUNDING = 1e-9; // of sums: this much less than all is all
const isPart = (value) => value > ROUNDING && value < 1 - ROUNDING;
const share = (value) => format(isPart(value) ? Math.min(Math.max(value, 0.001), 0.999) : value,
  { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const metres = (value) => (value === null ? NOTHING : word('metres_n', { n: count(value) }));
const minutes = (value) =>
  value === null
    ? NOTHING
    : word('minutes_n', { n: format(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) });

// "Within 8 min" for the circle named "8", its own name for any other.
function circleName(i) {
  const { name, minutes: time } = data.circles[i];
  return name === String(time)
    ? word('within_minutes', { minutes: plain(time) })
    : word('within_named', { name, minutes: plain(time) });
}

// "8 min" for the circle named "8".
function circleShort(i) {
  const { name, minutes: time } = data.circles[i];
  return name === String(time) ? word('minutes_n', { n: plain(time) }) : name;
}

// Names of the classes of buildings: the circles, then beyond, unreachable, unsnappable.
function className(i) {
  const n = data.circles.length;
  if (i < n) return circleName(i);
  if (i === n) return word('beyond_minutes', { minutes: plain(data.largest) });
  return word(i === n + 1 ? 'unreachable' : 'unsnappable');
}

// el('p.note', 'text', child...): strings become text, never markup.
function el(what, ...children) {
  const [tag, ...classes] = what.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  node.append(...children.filter((child) => child !== null));
  return node;
}

// An element for text from data: its direction is its own, and stays inside.
function datum(what, text) {
  const node = el(what, text || NOTHING);
  node.dir = 'auto';
  return node;
}

function button(what, onClick, ...children) {
  const node = el(what, ...children);
  node.type = 'button';
  node.addEventListener('click', onClick);
  return node;
}
