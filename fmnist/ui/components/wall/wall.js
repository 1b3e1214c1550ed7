const GAP = 1;
const CAPTION = 18;
const FINGER = 44; // pixels, the least for one
const SIDE = 28; // of a garment in the sheet
const FINEST = 2; // pixels of the screen for each of the page's
const MOST_PIXELS = 16e6; // that every browser has for a canvas

export default function ({ data, parentElement, setStateValue }) {
  const canvas = parentElement.querySelector('canvas');
  const tip = parentElement.querySelector('.tip');
  const said = parentElement.querySelector('.said');
  const here = parentElement.querySelector('.here');
  const pen = canvas.getContext('2d');
  const css = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const { captions, right, titles, sheetColumns, label } = data;
  const count = titles.length;
  const tile = Math.max(data.tile, matchMedia('(pointer: coarse)').matches ? FINGER : 0);
  const below = captions.length ? CAPTION : 0;
  // What a rerun of the page must not reset lives with the canvas. The page's word counts where it
  // has heard of the last choice; one that was on its way meanwhile is about an earlier one.
  canvas.kept ??= { choices: data.heard };
  const { kept } = canvas;
  if (kept.name !== data.name) Object.assign(kept, { name: data.name, picked: -1 });
  if (data.picked !== null && data.heard >= kept.choices) kept.picked = data.picked;
  let hovered = -1;
  let columns = 1;
  let cell = 1;

  canvas.setAttribute('aria-label', label);
  canvas.dataset.count = count;
  if (kept.sheet) kept.sheet.onload = null;
  kept.sheet = new Image();
  const { sheet } = kept;
  sheet.onload = () => draw();
  sheet.src = data.sheet;

  function layOut() {
    const width = Math.max(1, canvas.clientWidth);
    columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (tile + GAP))));
    // Few garments keep their size; many share the width to its last pixel.
    const fits = Math.floor((width + GAP) / columns - GAP);
    cell = count > columns ? fits : Math.min(fits, tile);
    const height = Math.max(1, Math.ceil(count / columns)) * (cell + below + GAP);
    const most = Math.sqrt(MOST_PIXELS / (width * height));
    const scale = Math.min(devicePixelRatio || 1, FINEST, most);
    const fine = [Math.floor(width * scale), Math.floor(height * scale)];
    canvas.style.height = `${height}px`;
    canvas.dataset.columns = columns;
    canvas.dataset.cell = cell;
    if (canvas.width !== fine[0] || canvas.height !== fine[1]) {
      [canvas.width, canvas.height] = fine;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
  }
  function corner(index) {
    return [(index % columns) * (cell + GAP), Math.floor(index / columns) * (cell + below + GAP)];
  }
  function ring(index, width, colour) {
    const [x, y] = corner(index);
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.strokeRect(x + width / 2, y + width / 2, cell - width, cell - width);
  }
  function draw() {
    layOut();
    if (!sheet.complete) return;
    pen.imageSmoothingEnabled = false;
    pen.font = `12px ${css('--st-font')}`;
    pen.textAlign = 'center';
    for (let index = 0; index < count; index++) {
      const [x, y] = corner(index);
      const left = (index % sheetColumns) * SIDE;
      const top = Math.floor(index / sheetColumns) * SIDE;
      pen.drawImage(sheet, left, top, SIDE, SIDE, x, y, cell, cell);
      if (below) {
        const wrong = right[index] === false;
        const mark = right.length ? (wrong ? '✗ ' : '✓ ') : '';
        pen.fillStyle = css(wrong ? '--st-primary-color' : '--st-text-color');
        pen.fillText(mark + captions[index], x + cell / 2, y + cell + 13, cell);
      }
    }
    if (hovered >= 0) ring(hovered, 1, '#fff');
    if (kept.picked >= 0) ring(kept.picked, 3, css('--st-primary-color'));
    canvas.dataset.drawn = count;
  }
  function redraw() {
    cancelAnimationFrame(kept.frame);
    kept.frame = requestAnimationFrame(draw);
  }
  function at(event) {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / (cell + GAP));
    const row = Math.floor((event.clientY - box.top) / (cell + below + GAP));
    const index = row * columns + column;
    return column >= 0 && column < columns && index >= 0 && index < count ? index : -1;
  }
  function pick(index) {
    if (index < 0 || index >= count) return;
    kept.picked = index;
    kept.choices += 1;
    said.textContent = titles[index];
    redraw();
    setStateValue('picked', { index, name: data.name, number: kept.choices });
  }

  canvas.onmousemove = (event) => {
    const index = at(event);
    tip.hidden = index < 0;
    if (index >= 0) {
      tip.textContent = titles[index];
      const [x, y] = corner(index);
      const left = Math.min(x, Math.max(0, canvas.clientWidth - tip.offsetWidth));
      const top = y >= 28 ? y - 26 : y + cell + 4;
      tip.style.left = `${left}px`;
      tip.style.top = `${top}px`;
    }
    if (index !== hovered) {
      hovered = index;
      redraw();
    }
  };
  canvas.onmouseleave = () => {
    hovered = -1;
    tip.hidden = true;
    redraw();
  };
  // A mark where the garment is, for the box around to scroll to.
  function pickInSight(index) {
    pick(Math.max(0, Math.min(count - 1, index)));
    const [x, y] = corner(kept.picked);
    Object.assign(here.style, { left: `${x}px`, top: `${y}px`, width: `${cell}px` });
    here.style.height = `${cell + below}px`;
    here.scrollIntoView({ block: 'nearest' });
  }
  canvas.onclick = (event) => pick(at(event));
  canvas.onkeydown = (event) => {
    if (isForBrowser(event)) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key in steps) {
      event.preventDefault();
      const next = kept.picked + steps[event.key];
      if (kept.picked < 0) pickInSight(0);
      else if (next >= 0 && next < count) pickInSight(next);
    } else if (event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      pickInSight(event.key === 'Home' ? 0 : count - 1);
    }
  };
  // Streamlit calls what is returned when the wall goes, and not when it is drawn anew.
  kept.watch?.disconnect();
  kept.watch = new ResizeObserver(redraw);
  kept.watch.observe(canvas.parentElement);
  draw();
  return () => {
    kept.watch.disconnect();
    cancelAnimationFrame(kept.frame);
  };
}
