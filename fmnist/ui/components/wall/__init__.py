"""A wall of garments: crisp at any width, told apart by hover, chosen by click or arrow keys."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures.encode import atlas, data_url

SHEET_COLUMNS = 30

_HTML = """
<div class="wall">
  <canvas tabindex="0" role="application"></canvas>
  <div class="tip" hidden></div>
  <div class="said" aria-live="polite"></div>
</div>
"""

_CSS = """
.wall { position: relative; }
canvas { display: block; width: 100%; cursor: pointer; border-radius: var(--st-base-radius); }
canvas:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tip {
  position: absolute; pointer-events: none; z-index: 1; padding: 0.15rem 0.5rem;
  font: 0.8rem var(--st-font); white-space: nowrap; color: var(--st-background-color);
  background: var(--st-text-color); border-radius: 0.3rem;
}
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""

_JS = """
const GAP = 1, CAPTION = 18;

export default function ({ data, parentElement, setStateValue }) {
  const canvas = parentElement.querySelector('canvas');
  const tip = parentElement.querySelector('.tip');
  const said = parentElement.querySelector('.said');
  const pen = canvas.getContext('2d');
  const css = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const { captions, titles, sheetColumns, label } = data;
  const count = titles.length, below = captions.length ? CAPTION : 0;
  let picked = data.picked ?? -1, hovered = -1, columns = 1, cell = 1, frame = 0;

  canvas.setAttribute('aria-label', label);
  canvas.dataset.count = count;
  const sheet = new Image();
  sheet.onload = () => draw();
  sheet.src = data.sheet;

  function layOut() {
    const width = Math.max(1, canvas.clientWidth);
    columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (data.tile + GAP))));
    // Few garments keep their size; many share the width to its last pixel.
    const fits = Math.floor((width + GAP) / columns - GAP);
    cell = count > columns ? fits : Math.min(fits, data.tile);
    const rows = Math.max(1, Math.ceil(count / columns)), scale = devicePixelRatio || 1;
    const height = rows * (cell + below + GAP);
    const fine = [Math.round(width * scale), Math.round(height * scale)];
    canvas.style.height = height + 'px';
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
    pen.font = '12px ' + css('--st-font');
    pen.textAlign = 'center';
    for (let index = 0; index < count; index++) {
      const [x, y] = corner(index);
      const left = (index % sheetColumns) * 28, top = Math.floor(index / sheetColumns) * 28;
      pen.drawImage(sheet, left, top, 28, 28, x, y, cell, cell);
      if (below) {
        pen.fillStyle = css('--st-text-color');
        pen.fillText(captions[index], x + cell / 2, y + cell + 13, cell);
      }
    }
    if (hovered >= 0) ring(hovered, 1, '#fff');
    if (picked >= 0) ring(picked, 3, css('--st-primary-color'));
    canvas.dataset.drawn = count;
  }
  function redraw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
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
    picked = index;
    said.textContent = titles[index];
    redraw();
    setStateValue('picked', { index, wall: data.wall });
  }

  canvas.onmousemove = (event) => {
    const index = at(event);
    tip.hidden = index < 0;
    if (index >= 0) {
      tip.textContent = titles[index];
      const [x, y] = corner(index);
      tip.style.left = Math.min(x, Math.max(0, canvas.clientWidth - tip.offsetWidth)) + 'px';
      tip.style.top = (y >= 28 ? y - 26 : y + cell + 4) + 'px';
    }
    if (index !== hovered) { hovered = index; redraw(); }
  };
  canvas.onmouseleave = () => { hovered = -1; tip.hidden = true; redraw(); };
  canvas.onclick = (event) => pick(at(event));
  canvas.onkeydown = (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (event.key in steps) {
      event.preventDefault();
      pick(picked < 0 ? 0 : picked + steps[event.key]);
    } else if (event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      pick(event.key === 'Home' ? 0 : count - 1);
    }
  };
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas.parentElement);
  draw();
  return () => { observer.disconnect(); cancelAnimationFrame(frame); };
}
"""

_component = st.components.v2.component("fmnist_sprite", html=_HTML, css=_CSS, js=_JS)


def garment_wall(
    images: NDArray[np.uint8],
    titles: Sequence[str],
    *,
    key: str,
    label: str,
    wall: str,
    tile: int = 30,
    captions: Sequence[str] = (),
    picked: int | None = None,
    on_pick: Callable[[], None] | None = None,
) -> int | None:
    """Show images uint8 (N, 28, 28) side by side; returns the row of the chosen one.

    `titles` are read out and shown on hover, `captions` stand below each garment. `tile` is the
    least width of a garment in pixels. `wall` names what is shown: a choice made on another wall
    is forgotten.
    """
    result = _component(
        key=key,
        data={
            "sheet": data_url(atlas(images, SHEET_COLUMNS)),
            "sheetColumns": SHEET_COLUMNS,
            "titles": list(titles),
            "captions": list(captions),
            "tile": tile,
            "label": label,
            "wall": wall,
            "picked": picked,
        },
        default={"picked": None},
        on_picked_change=on_pick or (lambda: None),
    )
    choice = result.get("picked")
    if not isinstance(choice, dict) or choice.get("wall") != wall:
        return picked
    index = choice.get("index")
    return index if isinstance(index, int) and 0 <= index < len(images) else picked
