"""A map of garments: thumbnails to pan and zoom, and to choose one by one or by lasso."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime import get_instance

from fmnist.analysis.embedding import fit_square
from fmnist.data.splits import CLASSES

SHEET_COLUMNS = 100

_HTML = """
<div class="map">
  <div class="bar" role="toolbar" aria-label="Map tools">
    <button data-tool="move" title="Drag to move; M">Move</button>
    <button data-tool="lasso" title="Draw around garments to choose them; L">Lasso</button>
    <button data-tool="box" title="Drag a box over garments to choose them; B">Box</button>
    <span class="gap"></span>
    <button data-do="in" title="Zoom in; +" aria-label="Zoom in">+</button>
    <button data-do="out" title="Zoom out; -" aria-label="Zoom out">&minus;</button>
    <button data-do="fit" title="Show the whole map; 0">Whole</button>
    <button data-do="clear" title="Choose none; Escape">Clear</button>
  </div>
  <div class="ground">
    <canvas tabindex="0" role="application"></canvas>
    <div class="tip" hidden><canvas width="28" height="28"></canvas><div class="words"></div></div>
  </div>
  <div class="legend" role="group" aria-label="Show only"></div>
  <div class="said" aria-live="polite"></div>
</div>
"""

_CSS = """
.map { font: 0.85rem var(--st-font); color: var(--st-text-color); }
.bar, .legend { display: flex; flex-wrap: wrap; gap: 0.3rem; }
.bar { margin-bottom: 0.4rem; }
.gap { flex: 1; }
.legend { margin-top: 0.4rem; }
button {
  font: inherit; color: inherit; cursor: pointer; padding: 0.2rem 0.65rem; min-height: 1.9rem;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius);
}
button:hover { border-color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button[aria-pressed=true] {
  border-color: var(--st-primary-color); background: var(--st-secondary-background-color);
  box-shadow: inset 0 0 0 1px var(--st-primary-color);
}
.legend button { display: flex; align-items: center; gap: 0.35rem; padding: 0.1rem 0.5rem; }
.legend i { width: 0.7rem; height: 0.7rem; border-radius: 50%; }
.ground { position: relative; }
.ground > canvas {
  display: block; width: 100%; aspect-ratio: 1; max-height: 80vh; touch-action: none;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
.ground > canvas:focus-visible { outline: 2px solid var(--st-primary-color); }
.tip {
  position: absolute; left: 0; top: 0; pointer-events: none; z-index: 1; padding: 0.4rem;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); box-shadow: 0 2px 8px rgb(0 0 0 / 0.25);
}
.tip canvas { display: block; width: 140px; height: 140px; image-rendering: pixelated; }
.tip .words { max-width: 140px; margin-top: 0.25rem; font-size: 0.8rem; line-height: 1.3; }
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""

_JS = """
const THUMB = 22, MOST_ZOOM = 200, REACH = 10, FULL = 65535;
const CURSORS = { move: 'grab', lasso: 'crosshair', box: 'crosshair' };

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export default function ({ data, parentElement, setStateValue }) {
  const find = (what) => parentElement.querySelector(what);
  const canvas = find('.ground > canvas'), tip = find('.tip'), legend = find('.legend');
  const said = find('.said'), pen = canvas.getContext('2d');
  const css = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();
  const { classes, groups, columns } = data;
  const labels = bytes(data.labels), answers = bytes(data.answers), shares = bytes(data.shares);
  const group = bytes(data.group), at = new Uint16Array(bytes(data.positions).buffer);
  const count = labels.length;

  // What a rerun of the page must not reset lives with the canvas.
  const kept = canvas.kept ??= { tool: 'move', pointers: new Map(), path: [], moved: false };
  if (kept.map !== data.map) {
    Object.assign(kept, {
      map: data.map, x: 0.5, y: 0.5, zoom: 1, chosen: new Set(), picked: -1, hovered: -1,
    });
  }
  if (kept.grouping !== data.grouping) {
    Object.assign(kept, { grouping: data.grouping, only: new Set() });
  }
  if (kept.sheet?.source !== data.sheet) {
    kept.sheet = new Image();
    kept.sheet.source = data.sheet;
    kept.sheet.src = new URL(data.sheet, document.baseURI);
  }
  const sheet = kept.sheet;
  let width = 1, height = 1, scale = 1, frame = 0, thumbs = [];
  let byLevel = new Map();
  canvas.dataset.count = count;
  canvas.setAttribute('aria-label', data.label);

  const colours = () => data.colours === 'classes'
    ? css('--st-chart-categorical-colors').split(',')
    : [css('--st-gray-color'), css('--st-red-color')];
  const shown = (index) => !kept.only.size || kept.only.has(group[index]);
  const across = (index) => (at[2 * index] / FULL - kept.x) * scale + width / 2;
  const down = (index) => (at[2 * index + 1] / FULL - kept.y) * scale + height / 2;
  const inside = (x, y, edge) => x > -edge && y > -edge && x < width + edge && y < height + edge;

  // One garment of each square of the map gets a thumbnail; a closer look has smaller squares.
  function faces() {
    const level = Math.floor(Math.log2(kept.zoom));
    if (byLevel.has(level)) return byLevel.get(level);
    const edge = (1.6 * THUMB * 2 ** (level / 4)) / ((scale / kept.zoom) * 2 ** level);
    const best = new Map();
    for (let index = 0; index < count; index++) {
      if (!shown(index)) continue;
      const x = at[2 * index] / FULL / edge, y = at[2 * index + 1] / FULL / edge;
      const cell = Math.floor(x) + 1e5 * Math.floor(y);
      const off = (x % 1 - 0.5) ** 2 + (y % 1 - 0.5) ** 2;
      if (!best.has(cell) || off < best.get(cell)[1]) best.set(cell, [index, off]);
    }
    byLevel.set(level, [...best.values()].map(([index]) => index));
    return byLevel.get(level);
  }
  function draw() {
    const fine = Math.min(devicePixelRatio || 1, 2);
    [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * fine) || canvas.height !== Math.round(height * fine)) {
      [canvas.width, canvas.height] = [Math.round(width * fine), Math.round(height * fine)];
      byLevel = new Map();
    }
    scale = 0.94 * Math.min(width, height) * kept.zoom;
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.clearRect(0, 0, width, height);
    const colour = colours(), some = kept.chosen.size;
    const dot = Math.min(2.5 + Math.log2(kept.zoom), 6);
    let visible = 0;
    // Group by group, the last on top: one colour change for thousands of dots.
    for (let now = 0; now < groups.length; now++) {
      pen.fillStyle = colour[now];
      for (let index = 0; index < count; index++) {
        if (group[index] !== now || !shown(index)) continue;
        const x = across(index), y = down(index);
        if (!inside(x, y, dot)) continue;
        visible++;
        pen.globalAlpha = some && !kept.chosen.has(index) ? 0.15 : 0.8;
        pen.fillRect(x - dot / 2, y - dot / 2, dot, dot);
      }
    }
    const size = THUMB * kept.zoom ** 0.25;
    thumbs = [];
    if (sheet.complete && sheet.naturalWidth) {
      for (const index of faces()) {
        if (inside(across(index), down(index), size)) thumbs.push(index);
      }
      for (const index of thumbs) thumbnail(index, size, colour, some);
      for (const index of [kept.picked, kept.hovered]) {
        if (index >= 0) thumbnail(index, size * 1.3, { [group[index]]: css('--st-text-color') }, 0);
      }
    }
    pen.globalAlpha = 1;
    if (kept.path.length > 1) outline();
    if (canvas.matches(':focus-visible')) aim();
    Object.assign(canvas.dataset, {
      visible, thumbs: thumbs.length, zoom: kept.zoom.toFixed(2), chosen: some,
      view: [kept.x, kept.y, scale].join(' '),
    });
  }
  function thumbnail(index, size, colour, some) {
    const x = across(index) - size / 2, y = down(index) - size / 2;
    pen.globalAlpha = some && !kept.chosen.has(index) ? 0.25 : 1;
    pen.fillStyle = colour[group[index]];
    pen.fillRect(x - 1.5, y - 1.5, size + 3, size + 3);
    pen.imageSmoothingEnabled = size < 28;
    pen.drawImage(
      sheet, (index % columns) * 28, Math.floor(index / columns) * 28, 28, 28, x, y, size, size
    );
  }
  function outline() {
    pen.beginPath();
    for (const [x, y] of corners()) pen.lineTo(x, y);
    pen.closePath();
    pen.strokeStyle = pen.fillStyle = css('--st-primary-color');
    pen.lineWidth = 2;
    pen.stroke();
    pen.globalAlpha = 0.12;
    pen.fill();
    pen.globalAlpha = 1;
  }
  function aim() {
    pen.strokeStyle = css('--st-text-color');
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(width / 2 - 8, height / 2);
    pen.lineTo(width / 2 + 8, height / 2);
    pen.moveTo(width / 2, height / 2 - 8);
    pen.lineTo(width / 2, height / 2 + 8);
    pen.stroke();
  }
  function redraw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  }

  function corners() {
    if (kept.tool !== 'box') return kept.path;
    const [[left, top], [right, bottom]] = [kept.path[0], kept.path.at(-1)];
    return [[left, top], [right, top], [right, bottom], [left, bottom]];
  }
  function encloses(polygon, x, y) {
    let odd = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [ax, ay] = polygon[i], [bx, by] = polygon[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    return odd;
  }
  function choose(polygon) {
    const rows = [];
    for (let index = 0; index < count; index++) {
      if (shown(index) && encloses(polygon, across(index), down(index))) rows.push(index);
    }
    kept.chosen = new Set(rows);
    said.textContent = rows.length + ' garments chosen';
    setStateValue('chosen', { rows, map: data.map });
    redraw();
  }
  const words = (index) => [
    classes[labels[index]],
    `Answer: ${classes[answers[index]]}, ${shares[index]} %`,
    `Garment ${index}`,
  ];
  function pick(index) {
    if (index < 0) return;
    kept.picked = index;
    said.textContent = words(index).join('. ');
    setStateValue('picked', { row: index, map: data.map });
    redraw();
  }
  function nearest(x, y) {
    const half = (THUMB * kept.zoom ** 0.25) / 2;
    for (const index of thumbs.toReversed()) {
      if (Math.abs(across(index) - x) < half && Math.abs(down(index) - y) < half) return index;
    }
    let best = -1, least = REACH ** 2;
    for (let index = 0; index < count; index++) {
      const off = (across(index) - x) ** 2 + (down(index) - y) ** 2;
      if (off < least && shown(index)) [best, least] = [index, off];
    }
    return best;
  }
  function hover(index) {
    if (index === kept.hovered) return;
    kept.hovered = index;
    tip.hidden = index < 0;
    if (index >= 0) {
      const big = tip.querySelector('canvas').getContext('2d');
      big.clearRect(0, 0, 28, 28);
      big.drawImage(
        sheet, (index % columns) * 28, Math.floor(index / columns) * 28, 28, 28, 0, 0, 28, 28
      );
      tip.querySelector('.words').replaceChildren(
        ...words(index).map((textContent) =>
          Object.assign(document.createElement('div'), { textContent })
        )
      );
      const x = across(index), y = down(index);
      const left = x + 24 + tip.offsetWidth < width ? x + 24 : x - 24 - tip.offsetWidth;
      const top = Math.min(Math.max(0, y - tip.offsetHeight / 2), height - tip.offsetHeight);
      tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
    }
    redraw();
  }
  function move(right, below) {
    kept.x = Math.min(1, Math.max(0, kept.x - right / scale));
    kept.y = Math.min(1, Math.max(0, kept.y - below / scale));
    hover(-1);
    redraw();
  }
  function zoom(factor, x = width / 2, y = height / 2) {
    const before = kept.zoom;
    kept.zoom = Math.min(MOST_ZOOM, Math.max(1, before * factor));
    const grown = scale * (kept.zoom / before);
    kept.x += (x - width / 2) * (1 / scale - 1 / grown);
    kept.y += (y - height / 2) * (1 / scale - 1 / grown);
    scale = grown;
    move(0, 0);
  }
  const actions = {
    in: () => zoom(1.5),
    out: () => zoom(1 / 1.5),
    fit: () => { Object.assign(kept, { x: 0.5, y: 0.5, zoom: 1 }); hover(-1); redraw(); },
    clear: () => { kept.path = []; if (kept.chosen.size) choose([]); else redraw(); },
  };
  function take(tool) {
    kept.tool = tool;
    canvas.style.cursor = CURSORS[tool];
    for (const button of parentElement.querySelectorAll('[data-tool]')) {
      button.setAttribute('aria-pressed', button.dataset.tool === tool);
    }
  }
  for (const button of parentElement.querySelectorAll('.bar button')) {
    const { tool } = button.dataset;
    button.onclick = tool ? () => take(tool) : actions[button.dataset.do];
  }
  take(kept.tool);

  const colour = colours();
  legend.replaceChildren(...groups.map((name, number) => {
    const button = document.createElement('button'), swatch = document.createElement('i');
    swatch.style.background = colour[number];
    button.append(swatch, name);
    button.setAttribute('aria-pressed', kept.only.has(number));
    button.onclick = () => {
      if (!kept.only.delete(number)) kept.only.add(number);
      button.setAttribute('aria-pressed', kept.only.has(number));
      byLevel = new Map();
      redraw();
    };
    return button;
  }));

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left - 1, event.clientY - box.top - 1];
  };
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    kept.pointers.set(event.pointerId, place(event));
    kept.moved = kept.pointers.size > 1;
    kept.path = kept.tool === 'move' || kept.moved ? [] : [place(event)];
  };
  canvas.onpointermove = (event) => {
    const [x, y] = place(event), last = kept.pointers.get(event.pointerId);
    if (!last) return hover(nearest(x, y));
    if (!kept.moved && Math.hypot(x - last[0], y - last[1]) < 4) return;
    kept.moved = true;
    kept.pointers.set(event.pointerId, [x, y]);
    if (kept.pointers.size === 2) {
      const [other] = [...kept.pointers].find(([id]) => id !== event.pointerId).slice(1);
      const span = (a, b) => Math.max(20, Math.hypot(a[0] - b[0], a[1] - b[1]));
      move((x - last[0]) / 2, (y - last[1]) / 2);
      zoom(span([x, y], other) / span(last, other), (x + other[0]) / 2, (y + other[1]) / 2);
    } else if (kept.path.length) {
      kept.path.push([x, y]);
      hover(-1);
      redraw();
    } else {
      canvas.style.cursor = 'grabbing';
      move(x - last[0], y - last[1]);
    }
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (!kept.pointers.delete(event.pointerId)) return;
    canvas.style.cursor = CURSORS[kept.tool];
    const drawn = kept.path.length > 1 && event.type === 'pointerup' ? corners() : [];
    kept.path = [];
    if (drawn.length) choose(drawn);
    else if (!kept.moved) {
      const index = nearest(...place(event));
      hover(index);
      pick(index);
    } else redraw();
  };
  canvas.onpointerleave = () => hover(-1);
  canvas.onfocus = canvas.onblur = redraw;
  canvas.onwheel = (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...place(event));
  };
  canvas.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.15 * Math.min(width, height);
    const keys = {
      ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0),
      ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step),
      '+': actions.in, '=': actions.in, '-': actions.out, 0: actions.fit, Escape: actions.clear,
      m: () => take('move'), l: () => take('lasso'), b: () => take('box'),
      ' ': () => pick(nearest(width / 2, height / 2)),
      Enter: () => choose([[0, 0], [width, 0], [width, height], [0, height]]),
    };
    if (event.key in keys) {
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    }
  };
  sheet.onload = redraw;
  const observer = new ResizeObserver(redraw);
  observer.observe(canvas);
  draw();
  return () => { observer.disconnect(); cancelAnimationFrame(frame); };
}
"""

_component = st.components.v2.component("fmnist_map", html=_HTML, css=_CSS, js=_JS)


@dataclass(frozen=True)
class Chosen:
    """What a visitor chose on a map: one row, and the rows of a lasso or a box."""

    picked: int | None
    rows: NDArray[np.int64]


def garment_map(
    sheet: bytes,
    positions: NDArray[np.float32],
    labels: NDArray[np.uint8],
    answers: NDArray[np.uint8],
    confidence: NDArray[np.float32],
    grouping: str,
    *,
    key: str,
    name: str,
) -> Chosen:
    """Show garments at their positions (N, 2); returns what is chosen.

    `sheet` holds their thumbnails as `thumbnails` makes it. `grouping` is what colours them: Class,
    Answer or Error. `name` names what is shown: a choice made on another map is forgotten.
    """
    group = {"Class": labels, "Answer": answers, "Error": answers != labels}[grouping]
    result = _component(
        key=key,
        data={
            "sheet": _address(sheet),
            "columns": SHEET_COLUMNS,
            "positions": _packed(fit_square(positions)),
            "labels": _packed(labels),
            "answers": _packed(answers),
            "shares": _packed(np.round(100 * confidence).astype(np.uint8)),
            "group": _packed(group.astype(np.uint8)),
            "grouping": grouping,
            "groups": ["Right", "Wrong"] if grouping == "Error" else CLASSES,
            "colours": "error" if grouping == "Error" else "classes",
            "classes": CLASSES,
            "map": name,
            "label": (
                f"Map of {len(labels)} garments. Arrow keys move it, plus and minus zoom, Space "
                "chooses the garment in the middle, Enter all in view, Escape none."
            ),
        },
        default={"picked": None, "chosen": None},
        on_picked_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    picked, rows = _of(result.get("picked"), name, "row"), _of(result.get("chosen"), name, "rows")
    return Chosen(
        picked if isinstance(picked, int) and 0 <= picked < len(labels) else None,
        np.array([row for row in rows or [] if row in range(len(labels))], np.int64),
    )


def _address(sheet: bytes) -> str:
    """Where the browser fetches the sheet, relative to a page.

    It travels once, apart from what changes with every choice, as st.image's pictures do.
    """
    return get_instance().media_file_mgr.add(sheet, "image/webp", "map").lstrip("/")


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _of(choice: Any, name: str, field: str) -> Any:
    """The browser's word, if it is about this map."""
    return choice.get(field) if isinstance(choice, dict) and choice.get("map") == name else None
