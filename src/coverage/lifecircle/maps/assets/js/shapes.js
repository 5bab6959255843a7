// Packed columns and shapes, and finding shapes by place.

const WORLD_ZOOM = 20; // units are pixels at this zoom
const CELL_BITS = 9; // a cell of the index is 512 units wide: some 60 m

async function unpack(text) {
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < packed.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpackJson(text) {
  return JSON.parse(new TextDecoder().decode(await unpack(text)));
}

// Reads varints from bytes, column after column.
class Columns {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(n) {
    const { bytes } = this;
    const column = new Int32Array(n);
    let at = this.at;
    for (let i = 0; i < n; i++) {
      let byte = bytes[at++];
      let value = byte & 127;
      for (let shift = 7; byte > 127; shift += 7) {
        byte = bytes[at++];
        value |= (byte & 127) << shift;
      }
      column[i] = value;
    }
    this.at = at;
    return column;
  }

  takeSigned(n) {
    const column = this.take(n);
    for (let i = 0; i < n; i++) column[i] = (column[i] >>> 1) ^ -(column[i] & 1);
    return column;
  }
}

function runningSum(column) {
  for (let i = 1; i < column.length; i++) column[i] += column[i - 1];
  return column;
}

// Where each of the parts of given sizes starts, and where the last one ends.
function starts(sizes) {
  const offsets = new Int32Array(sizes.length + 1);
  for (let i = 0; i < sizes.length; i++) offsets[i + 1] = offsets[i] + sizes[i];
  return offsets;
}

class Shapes {
  static async of(text) {
    const columns = new Columns(await unpack(text));
    const [nShapes, nRuns, nVertices] = columns.take(3);
    const runs = starts(columns.take(nShapes));
    const vertices = starts(columns.take(nRuns));
    const x = runningSum(columns.takeSigned(nVertices));
    const y = runningSum(columns.takeSigned(nVertices));
    return new Shapes(runs, vertices, x, y);
  }

  constructor(runs, vertices, x, y) {
    Object.assign(this, { runs, vertices, x, y, n: runs.length - 1 });
    this.#measure();
    this.#index();
  }

  #runBoxes = null;

  #measure() {
    this.box = this.#boxes(this.runs.map((run) => this.vertices[run]));
  }

  // The boxes of what begins at these vertices, each up to where the next one does.
  #boxes(first) {
    const { x, y } = this;
    const boxes = new Int32Array(4 * (first.length - 1));
    for (let i = 0; i < first.length - 1; i++) {
      let [west, north, east, south] = [2 ** 30, 2 ** 30, -1, -1];
      for (let v = first[i]; v < first[i + 1]; v++) {
        if (x[v] < west) west = x[v];
        if (x[v] > east) east = x[v];
        if (y[v] < north) north = y[v];
        if (y[v] > south) south = y[v];
      }
      boxes.set([west, north, east, south], 4 * i);
    }
    return boxes;
  }

  // The box of each run: west, north, east, south.
  get runBoxes() {
    this.#runBoxes ??= this.#boxes(this.vertices);
    return this.#runBoxes;
  }

  // Every shape stands in each cell that its box touches; cell k holds members[first[k] .. first[k + 1]].
  #index() {
    const { n, box } = this;
    let [west, north, east, south] = [2 ** 30, 2 ** 30, 0, 0];
    for (let i = 0; i < n; i++) {
      if (box[4 * i + 2] < 0) continue;
      west = Math.min(west, box[4 * i]);
      north = Math.min(north, box[4 * i + 1]);
      east = Math.max(east, box[4 * i + 2]);
      south = Math.max(south, box[4 * i + 3]);
    }
    this.bits = CELL_BITS;
    while (((east - west) >> this.bits) * ((south - north) >> this.bits) > 2e6) this.bits++;
    this.west = west;
    this.north = north;
    this.columns = Math.max(0, (east - west) >> this.bits) + 1;
    this.rows = Math.max(0, (south - north) >> this.bits) + 1;
    this.seen = new Uint32Array(n);
    this.look = 0;
    const sizes = new Int32Array(this.columns * this.rows);
    for (let i = 0; i < n; i++) this.#cells(box, 4 * i, (cell) => sizes[cell]++);
    this.first = starts(sizes);
    this.members = new Int32Array(this.first[sizes.length]);
    const next = this.first.slice();
    for (let i = 0; i < n; i++) this.#cells(box, 4 * i, (cell) => (this.members[next[cell]++] = i));
  }

  #cells(box, at, each) {
    const { bits, west, north, columns, rows } = this;
    const left = Math.max(0, (box[at] - west) >> bits);
    const right = Math.min(columns - 1, (box[at + 2] - west) >> bits);
    const top = Math.max(0, (box[at + 1] - north) >> bits);
    const bottom = Math.min(rows - 1, (box[at + 3] - north) >> bits);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) each(row * columns + column);
    }
  }

  // Call each(i) once for every shape whose box meets [west, north, east, south], in no order.
  visit(area, each) {
    const { box, seen, first, members } = this;
    const [west, north, east, south] = area;
    const look = ++this.look;
    this.#cells(area, 0, (cell) => {
      for (let k = first[cell]; k < first[cell + 1]; k++) {
        const i = members[k];
        if (seen[i] === look) continue;
        seen[i] = look;
        const b = 4 * i;
        if (box[b] <= east && box[b + 2] >= west && box[b + 1] <= south && box[b + 3] >= north) each(i);
      }
    });
  }

  // The shape that holds a place, else the one whose middle is nearest within reach; -1 for none.
  at(x, y, reach) {
    let found = -1;
    let best = reach;
    this.visit([x - reach, y - reach, x + reach, y + reach], (i) => {
      const distance = this.#holds(i, x, y) ? -1 : Math.hypot(this.middleX(i) - x, this.middleY(i) - y);
      if (distance < best || (distance === best && i < found)) [found, best] = [i, distance];
    });
    return found;
  }

  // How far a place is from the lines of a shape.
  distance(i, x, y) {
    const { runs, vertices, x: xs, y: ys } = this;
    let least = Infinity;
    for (let r = runs[i]; r < runs[i + 1]; r++) {
      for (let v = vertices[r]; v + 1 < vertices[r + 1]; v++) {
        const [dx, dy] = [xs[v + 1] - xs[v], ys[v + 1] - ys[v]];
        const along = ((x - xs[v]) * dx + (y - ys[v]) * dy) / (dx * dx + dy * dy || 1);
        const part = Math.min(1, Math.max(0, along));
        least = Math.min(least, Math.hypot(xs[v] + part * dx - x, ys[v] + part * dy - y));
      }
    }
    return least;
  }

  #holds(i, x, y) {
    const { runs, vertices, x: xs, y: ys } = this;
    let inside = false;
    for (let r = runs[i]; r < runs[i + 1]; r++) {
      for (let v = vertices[r], w = vertices[r + 1] - 1; v < vertices[r + 1]; w = v++) {
        if (ys[v] > y !== ys[w] > y && x < ((xs[w] - xs[v]) * (y - ys[v])) / (ys[w] - ys[v]) + xs[v]) inside = !inside;
      }
    }
    return inside;
  }

  middleX(i) {
    return (this.box[4 * i] + this.box[4 * i + 2]) / 2;
  }

  middleY(i) {
    return (this.box[4 * i + 1] + this.box[4 * i + 3]) / 2;
  }

  // The runs of a shape as lists of [x, y].
  outline(i) {
    const lines = [];
    for (let r = this.runs[i]; r < this.runs[i + 1]; r++) {
      const line = [];
      for (let v = this.vertices[r]; v < this.vertices[r + 1]; v++) line.push([this.x[v], this.y[v]]);
      lines.push(line);
    }
    return lines;
  }
}

// The buildings: their shapes, texts and columns; facts[k] holds the columns named by `keys` for the k-th of `n` states.
async function loadBuildings(packed, n, keys) {
  const [shapes, ids, names, bytes] = await Promise.all([
    Shapes.of(packed.buildings),
    unpackJson(packed.building_ids),
    unpackJson(packed.building_names),
    unpack(packed.building_facts),
  ]);
  const columns = new Columns(bytes);
  const area = columns.take(shapes.n);
  const tenResidents = columns.take(shapes.n);
  const facts = [];
  for (let k = 0; k < n; k++) {
    const state = {};
    for (const key of keys) {
      const column = columns.takeSigned(shapes.n);
      if (k) for (let i = 0; i < column.length; i++) column[i] += facts[k - 1][key][i];
      state[key] = column;
    }
    facts.push(state);
  }
  return { shapes, ids, names, area, tenResidents, facts };
}

async function loadStreets(packed) {
  const [shapes, kinds] = await Promise.all([Shapes.of(packed.streets), unpack(packed.street_kinds)]);
  return { shapes, kind: new Columns(kinds).take(shapes.n) };
}
