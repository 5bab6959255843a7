// The streets: of which way each is a part, which lies at a place, and the card that tells its id.

const STREET_ZOOM = 16; // from here on a click can mean one street and not the next
const STREET_WORDS = ['street', 'street_foot', 'street_steps', 'street_private']; // by kind, as in maps/basis.py

async function loadNamedStreets(packed) {
  const [streets, ways, bytes] = await Promise.all([
    loadStreets(packed),
    unpackJson(packed.ways_named),
    unpack(packed.street_ways),
  ]);
  return { ...streets, ...ways, way: runningSum(new Columns(bytes).takeSigned(streets.shapes.n)) };
}

// The street at a place, the nearest within reach; -1 for none.
function streetAt({ shapes }, x, y, reach) {
  let found = -1;
  let best = reach;
  shapes.visit([x - reach, y - reach, x + reach, y + reach], (i) => {
    const distance = shapes.distance(i, x, y);
    if (distance < best || (distance === best && i < found)) [found, best] = [i, distance];
  });
  return found;
}

function streetCard({ kind, way, ids, names }, i) {
  const id = ids[way[i]];
  return card(word(STREET_WORDS[kind[i]]), names[way[i]] || word('street_unnamed'), [
    pairs([
      [word('id'), named(id)],
      [word('street_close'), datum('code', `closed = [${JSON.stringify(id)}]`)],
    ]),
  ]);
}

// What a click on a street opens; all of its way is marked.
function streetDetail(streets, i, at) {
  const { shapes, way } = streets;
  const outline = [];
  for (let k = 0; k < shapes.n; k++) if (way[k] === way[i]) outline.push(...lineOf(shapes, k));
  return { at, render: () => streetCard(streets, i), outline };
}

function streetTip({ kind, way, names }, i) {
  const told = word(STREET_WORDS[kind[i]]);
  return el('div.tip', datum('strong', names[way[i]] || told), names[way[i]] ? el('span', told) : null);
}
