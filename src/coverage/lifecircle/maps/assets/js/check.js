'use strict';
(() => {
  const root = document.documentElement;
  const LANGUAGES = ['zh-CN', 'en'];
  const data = JSON.parse(document.getElementById('data').textContent);
  const onLanguage = [];
  document.getElementById('language').addEventListener('click', () => {
    root.lang = LANGUAGES.find((language) => language !== root.lang);
    onLanguage.forEach((told) => told());
  });
  if (!data.frame) return;

  const canvas = document.querySelector('#map canvas');
  const caption = document.getElementById('caption');
  const pen = canvas.getContext('2d');
  const { frame, size } = data;
  const style = getComputedStyle(root);
  const colour = Object.fromEntries(
    ['error', 'warning', 'repair', 'note'].map((name) => [name, style.getPropertyValue(`--${name}`)]),
  );
  const RADIUS = 9; // of a mark, pixels; of marks that would lie on one another the first stands for all
  const MOST_ZOOM = 400;

  const path = (lines) => {
    const drawn = new Path2D();
    let x = 0;
    let y = 0;
    let i = 0;
    for (const n of lines.sizes) {
      for (let vertex = 0; vertex < n; vertex += 1) {
        x += lines.steps[i];
        y += lines.steps[i + 1];
        i += 2;
        if (vertex) drawn.lineTo(x, y);
        else drawn.moveTo(x, y);
      }
    }
    return drawn;
  };
  const streets = path(data.streets);
  const borders = path(data.borders);
  const marks = data.marks.flatMap(({ number, severity, places, whole }) =>
    places.map(([lon, lat]) => (
      { number, severity, whole, lon, lat, x: (lon - frame.west) * frame.x, y: (lat - frame.north) * frame.y }
    )));

  let view = { x: 0, y: 0, scale: 1 }; // pixel = (step - origin) * scale
  let chosen = 0; // number of the finding that is shown alone, 0 for all
  let spot = null; // the mark that was pressed
  let shown = [];
  let fitted = 1;

  const box = () => canvas.getBoundingClientRect();
  const fit = (west, north, east, south) => {
    const { width, height } = box();
    const scale = Math.min(width / (east - west), height / (south - north), fitted * MOST_ZOOM);
    view = { scale, x: (west + east - width / scale) / 2, y: (north + south - height / scale) / 2 };
  };
  const fitAll = () => {
    fitted = Infinity;
    fit(0, 0, size[0], size[1]);
    fitted = view.scale;
  };
  const zoom = (by, px, py) => {
    const scale = Math.min(Math.max(view.scale * by, fitted / 50), fitted * MOST_ZOOM);
    view = { scale, x: view.x + px / view.scale - px / scale, y: view.y + py / view.scale - py / scale };
    draw();
  };

  const draw = () => {
    const { width, height } = box();
    const density = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const zoomed = view.scale * density;
    pen.setTransform(zoomed, 0, 0, zoomed, -view.x * zoomed, -view.y * zoomed);
    for (const [drawn, ink, thick] of [[streets, '#d3d0c8', 1], [borders, '#7d8a99', 1.4]]) {
      pen.strokeStyle = ink;
      pen.lineWidth = thick / view.scale;
      pen.stroke(drawn);
    }
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.font = '600 11px sans-serif';
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    shown = [];
    const cells = new Map(); // what is shown, by squares as wide as a mark
    const square = (i, j) => cells.get(`${i} ${j}`) ?? [];
    for (const mark of marks) {
      const x = (mark.x - view.x) * view.scale;
      const y = (mark.y - view.y) * view.scale;
      const [i, j] = [Math.floor(x / (2 * RADIUS)), Math.floor(y / (2 * RADIUS))];
      const inside = x > -RADIUS && y > -RADIUS && x < width + RADIUS && y < height + RADIUS;
      // Where a layer as a whole is meant its places say little, and would hide the others.
      if ((chosen ? mark.number !== chosen : mark.whole) || !inside) continue;
      const under = [-1, 0, 1]
        .flatMap((di) => [-1, 0, 1].flatMap((dj) => square(i + di, j + dj)))
        .find((other) => Math.hypot(other.x - x, other.y - y) < 2 * RADIUS);
      if (under) {
        under.pile = true;
        continue;
      }
      const own = { mark, x, y, pile: false };
      shown.push(own);
      cells.set(`${i} ${j}`, [...square(i, j), own]);
    }
    const disc = (x, y, ink) => {
      pen.beginPath();
      pen.arc(x, y, RADIUS, 0, 2 * Math.PI);
      pen.fillStyle = ink;
      pen.fill();
    };
    for (const { mark, x, y, pile } of shown.slice().reverse()) {
      if (pile) {
        pen.globalAlpha = 0.45;
        disc(x + 4, y - 3, colour[mark.severity]);
        pen.globalAlpha = 1;
      }
      disc(x, y, colour[mark.severity]);
      pen.lineWidth = mark === spot ? 3 : 1;
      pen.strokeStyle = mark === spot ? '#000' : '#fff';
      pen.stroke();
      pen.fillStyle = '#fff';
      pen.fillText(mark.number, x, y);
    }
    canvas.dataset.marks = shown.length;
  };

  const tell = () => {
    const words = chosen ? document.querySelector(`#finding-${chosen} strong span[lang="${root.lang}"]`) : null;
    const place = spot ? ` · ${spot.lat.toFixed(6)}, ${spot.lon.toFixed(6)}` : '';
    caption.textContent = words ? `${chosen}. ${words.textContent}${place}` : '';
    canvas.setAttribute('aria-label', caption.textContent || document.querySelector('.help').innerText);
  };
  const choose = (number, mark) => {
    document.querySelector('tr.chosen')?.classList.remove('chosen');
    document.getElementById(`finding-${number}`)?.classList.add('chosen');
    chosen = number;
    spot = mark;
    tell();
    draw();
  };

  document.querySelectorAll('[data-number]').forEach((button) => button.addEventListener('click', () => {
    const number = Number(button.dataset.number);
    const own = marks.filter((mark) => mark.number === number);
    const [xs, ys] = [own.map((mark) => mark.x), own.map((mark) => mark.y)];
    const edge = Math.max(Math.max(size[0], size[1]) / 40, (Math.max(...xs) - Math.min(...xs)) / 8);
    fit(Math.min(...xs) - edge, Math.min(...ys) - edge, Math.max(...xs) + edge, Math.max(...ys) + edge);
    choose(number, null);
    canvas.scrollIntoView({ block: 'nearest' });
  }));
  document.getElementById('all').addEventListener('click', () => {
    fitAll();
    choose(0, null);
  });
  const middle = () => [box().width / 2, box().height / 2];
  document.getElementById('closer').addEventListener('click', () => zoom(2, ...middle()));
  document.getElementById('farther').addEventListener('click', () => zoom(0.5, ...middle()));
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    if (event.key === '+' || event.key === '=') zoom(2, ...middle());
    else if (event.key === '-') zoom(0.5, ...middle());
    else if (dx || dy) {
      view = { ...view, x: view.x + (60 * dx) / view.scale, y: view.y + (60 * dy) / view.scale };
      draw();
    } else return;
    event.preventDefault();
  });

  const fingers = new Map();
  let travelled = 0;
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    travelled = fingers.size > 1 ? Infinity : 0;
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.offsetX, event.offsetY];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    travelled += Math.hypot(dx, dy);
    fingers.set(event.pointerId, now);
    if (other) {
      const apart = (finger) => Math.max(1, Math.hypot(finger[0] - other[0], finger[1] - other[1]));
      zoom(apart(now) / apart(before), other[0], other[1]);
    } else {
      view = { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
      draw();
    }
  });
  const lift = (event) => {
    const own = fingers.delete(event.pointerId);
    if (!own || event.type === 'pointercancel' || travelled > 6) return;
    const near = shown
      .map(({ mark, x, y }) => ({ mark, off: Math.hypot(x - event.offsetX, y - event.offsetY) }))
      .filter(({ off }) => off <= RADIUS + 5)
      .sort((a, b) => a.off - b.off)[0];
    if (!near) return;
    choose(near.mark.number, near.mark);
    document.getElementById(`finding-${near.mark.number}`).scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);

  onLanguage.push(tell);
  window.addEventListener('resize', draw);
  fitAll();
  tell();
  draw();
})();
