// Two states on one map with a border between them, and a third layer of what changes.

const FAR = 1e6; // pixels, beyond every edge
const STEP = 0.02; // of the map's width that an arrow key moves the border
const HEADROOM_PX = { large: 62, small: 100 }; // what stands over the map at its top
const swipe = { at: 0.5 };

function setUpSwipe(divider) {
  const box = document.querySelector('main.map');
  const move = ({ clientX }) => {
    const { x, width } = box.getBoundingClientRect();
    placeDivider((clientX - x) / width);
  };
  divider.addEventListener('pointerdown', (event) => {
    divider.setPointerCapture(event.pointerId);
    divider.addEventListener('pointermove', move);
    event.preventDefault();
    divider.focus();
  });
  for (const end of ['pointerup', 'pointercancel']) {
    divider.addEventListener(end, () => divider.removeEventListener('pointermove', move));
  }
  divider.addEventListener('keydown', ({ key }) => {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -1, End: 1 }[key];
    if (step) placeDivider(swipe.at + step);
  });
  map.createPane('border').style.zIndex = 640; // above what the map shows, below tips and popups
  map.getPane('border').append(el('div.border-line'));
  popup.options.autoPanPaddingTopLeft = [34, small.matches ? HEADROOM_PX.small : HEADROOM_PX.large];
  map.on('move zoomend resize viewreset', clipSides);
}

function placeDivider(at) {
  swipe.at = Math.min(1, Math.max(0, at));
  clipSides();
}

// Cuts the two layers off at the border and draws it; the panes they lie in move with the map.
function clipSides() {
  const divider = document.getElementById('divider');
  const { x: width } = map.getSize();
  divider.style.left = `${100 * swipe.at}%`;
  divider.setAttribute('aria-valuenow', String(Math.round(100 * swipe.at)));
  divider.setAttribute('aria-label', word('divider'));
  const border = map.containerPointToLayerPoint([width * swipe.at, 0]).x;
  const clip = (pane, left, right) => {
    const corners = [[left, -FAR], [right, -FAR], [right, FAR], [left, FAR]].map(([x, y]) => `${x}px ${y}px`);
    map.getPane(pane).style.clipPath = `polygon(${corners.join(',')})`;
  };
  clip('left', -FAR, border);
  clip('right', border, FAR);
  map.getPane('border').style.left = `${border}px`;
}

// Which of the two sides a place of the map lies on.
const sideAt = (latlng) => (map.latLngToContainerPoint(latlng).x < map.getSize().x * swipe.at ? 'left' : 'right');
