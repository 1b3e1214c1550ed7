"""A canvas to draw on in greys: brush, line, filled shape, eraser, undo, redo and clear.

It lives in the browser and waits for no server. When the pen is lifted it sends its strokes, which
are kept for the day the page is opened again, and the picture of them, which is read like any
stranger's file.
"""

import base64
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.pictures import reading
from fmnist.pictures.encode import data_url
from fmnist.pictures.reading import PictureError

EDGE = 280  # pixels a side, ten for each that a model sees
SHADES = {"White": 255, "Light grey": 192, "Grey": 128, "Dark grey": 64, "Black": 0}
WIDTHS = {"Thin": 6, "Medium": 12, "Thick": 22}
MOST_CHARACTERS = 500_000  # of base64; noise in every pixel takes fewer

_TOOLS = {
    "brush": ("Brush", "b", "M5 19c0-3 1-4 3-4s3 2 1 4-4 0-4 0Zm5-5L19 4l1 1-8 10"),
    "line": ("Straight line", "l", "M5 19 19 5"),
    "shape": ("Filled shape", "f", "M8 4 3 8l2 4 2-1v9h10v-9l2 1 2-4-5-4c-2 2-6 2-8 0Z"),
    "eraser": ("Eraser", "e", "m4 15 9-10 7 6-8 9H8l-4-5Zm5-5 7 6"),
}
_ACTIONS = {
    "undo": ("Undo", "Control+Z", "M9 5 4 10l5 5m-5-5h10a6 6 0 0 1 0 10h-3"),
    "redo": ("Redo", "Control+Shift+Z", "m15 5 5 5-5 5m5-5H10a6 6 0 0 0 0 10h3"),
    "clear": ("Clear", "Delete", "M5 7h14m-9 0V4h4v3m-7 0 1 13h8l1-13m-7 4v6m4-6v6"),
}


def _button(data: str, label: str, shortcut: str, face: str) -> str:
    title = f"{label} ({shortcut.replace('Control', 'Ctrl').title()})"
    return (
        f'<button type="button" {data} aria-label="{label}" title="{title}" '
        f'aria-keyshortcuts="{shortcut}">{face}</button>'
    )


def _icon(path: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'


_GROUPS = {
    "Tool": [
        _button(f'data-set="tool" data-value="{name}"', label, shortcut, _icon(path))
        for name, (label, shortcut, path) in _TOOLS.items()
    ],
    "History": [
        _button(f'data-do="{name}"', label, shortcut, _icon(path))
        for name, (label, shortcut, path) in _ACTIONS.items()
    ],
    "Width": [
        _button(
            f'data-set="width" data-value="{width}"',
            label,
            str(number),
            f'<i class="dot" style="width: {width}px; height: {width}px"></i>',
        )
        for number, (label, width) in enumerate(WIDTHS.items(), 1)
    ],
    "Shade": [
        _button(
            f'data-set="shade" data-value="{shade}"',
            label,
            str(number),
            f'<i class="swatch" style="background: rgb({shade} {shade} {shade})"></i>',
        )
        for number, (label, shade) in enumerate(SHADES.items(), 1 + len(WIDTHS))
    ],
}
_TOOLBAR = "".join(
    f'<div role="group" aria-label="{name}">{"".join(buttons)}</div>'
    for name, buttons in _GROUPS.items()
)

_HTML = f"""
<div class="board">
  <canvas width="{3 * EDGE}" height="{3 * EDGE}" tabindex="0" role="img"></canvas>
  <div class="tools">{_TOOLBAR}</div>
  <div class="said" aria-live="polite"></div>
</div>
"""

_CSS = """
.board { max-width: 420px; }
canvas {
  display: block; width: 100%; aspect-ratio: 1; box-sizing: border-box; cursor: crosshair;
  touch-action: none; background: #000; border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius);
}
:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tools { display: flex; flex-wrap: wrap; gap: 0.4rem 0.9rem; margin-top: 0.5rem; }
[role=group] { display: flex; gap: 0.2rem; }
button {
  display: grid; place-items: center; width: 32px; height: 32px; padding: 0; cursor: pointer;
  color: var(--st-text-color); background: transparent; border: 1px solid transparent;
  border-radius: var(--st-base-radius);
}
@media (pointer: coarse) { button { width: 38px; height: 38px; } }
button:hover { background: var(--st-secondary-background-color); }
button[aria-pressed=true] {
  color: var(--st-primary-color); border-color: var(--st-primary-color);
  background: var(--st-secondary-background-color);
}
button[aria-disabled=true] { opacity: 0.35; cursor: default; }
svg {
  width: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round;
  stroke-linejoin: round;
}
[data-value=shape] svg { fill: currentColor; }
.dot { background: currentColor; border-radius: 50%; }
.swatch {
  width: 20px; height: 20px; border-radius: 50%;
  box-shadow: 0 0 0 1px var(--st-border-color), inset 0 0 0 1px rgb(128 128 128 / 0.4);
}
.said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""

_JS = """
const EDGE = 280, LEAST_MOVE = 1;
const boards = new WeakMap();

function trace(pen, { tool, shade, width, points }) {
  pen.strokeStyle = pen.fillStyle = `rgb(${shade} ${shade} ${shade})`;
  pen.lineWidth = tool === 'shape' ? 1 : width;
  pen.lineCap = pen.lineJoin = 'round';
  pen.beginPath();
  pen.moveTo(points[0], points[1]);
  for (let at = 2; at < points.length - 2; at += 2) {
    const [x, y, nextX, nextY] = points.slice(at, at + 4);
    pen.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  // A path of no length would leave no dot.
  pen.lineTo(points.at(-2) + 0.01, points.at(-1));
  if (tool === 'shape') { pen.closePath(); pen.fill(); }
  pen.stroke();
}

function layer(edge) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = edge;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.setTransform(edge / EDGE, 0, 0, edge / EDGE, 0, 0);
  return pen;
}

function begin(parentElement, data) {
  const find = (selector) => parentElement.querySelector(selector);
  const canvas = find('canvas'), said = find('.said'), view = canvas.getContext('2d');
  const fine = layer(canvas.width), small = layer(EDGE);
  const board = { name: data.name };
  const chosen = { tool: 'brush', shade: 255, width: 12 };
  // Clearing is a stroke like any other, and can be undone like any other.
  let strokes = data.strokes, undone = [], current = null, frame = 0;

  const visible = () => strokes.slice(strokes.findLastIndex(({ tool }) => tool === 'clear') + 1);

  const ground = new Image();
  ground.onload = repaint;
  ground.src = data.ground;

  function repaint() {
    for (const pen of [fine, small]) {
      pen.imageSmoothingEnabled = ground.width > EDGE;  // a 28x28 keeps its squares
      pen.drawImage(ground, 0, 0, EDGE, EDGE);
      for (const stroke of visible()) trace(pen, stroke);
    }
    show();
  }
  function show() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      view.setTransform(1, 0, 0, 1, 0, 0);
      view.drawImage(fine.canvas, 0, 0);
      view.setTransform(canvas.width / EDGE, 0, 0, canvas.width / EDGE, 0, 0);
      if (current) trace(view, current);
    });
    canvas.dataset.strokes = visible().length;
    for (const button of parentElement.querySelectorAll('button')) {
      const { set, value } = button.dataset;
      if (set) button.setAttribute('aria-pressed', String(chosen[set]) === value);
    }
    find('[data-do=undo]').setAttribute('aria-disabled', !strokes.length);
    find('[data-do=redo]').setAttribute('aria-disabled', !undone.length);
    find('[data-do=clear]').setAttribute('aria-disabled', !visible().length);
  }
  function send() {
    const picture = visible().length ? small.canvas.toDataURL().split(',')[1] : null;
    board.send({ strokes, picture });
  }

  const actions = {
    undo() { undone.push(strokes.at(-1)); strokes = strokes.slice(0, -1); },
    redo() { strokes = [...strokes, undone.pop()]; },
    clear() { strokes = [...strokes, { tool: 'clear' }]; undone = []; },
  };
  function press(button) {
    if (button.getAttribute('aria-disabled') === 'true') return;
    const { set, value, do: action } = button.dataset;
    if (set) {
      chosen[set] = set === 'tool' ? value : Number(value);
      show();
    } else {
      actions[action]();
      said.textContent = `${button.ariaLabel}: ${visible().length} strokes`;
      repaint();
      send();
    }
  }
  for (const button of parentElement.querySelectorAll('button')) {
    button.onclick = () => press(button);
  }

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const place = (at, start, size) => Math.round((at - start) / size * EDGE * 4) / 4;
    const x = place(event.clientX, box.left, box.width);
    const y = place(event.clientY, box.top, box.height);
    const { tool, points } = current;
    if (tool === 'line') points.splice(2, 2, x, y);
    else if (Math.hypot(x - points.at(-2), y - points.at(-1)) < LEAST_MOVE) return;
    else points.push(x, y);
  }
  canvas.onpointerdown = (event) => {
    if (current || event.button) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    const erases = chosen.tool === 'eraser';
    current = { ...chosen, ...(erases && { tool: 'brush', shade: 0 }), points: [] };
    follow(event);
    show();
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;  // a second finger
    event.getCoalescedEvents().forEach(follow);
    show();
  };
  canvas.onlostpointercapture = () => {
    if (!current) return;
    strokes = [...strokes, current];
    undone = [];
    for (const pen of [fine, small]) trace(pen, current);
    current = null;
    send();
    show();
  };

  find('.board').onkeydown = (event) => {
    const { key, ctrlKey, metaKey, shiftKey } = event;
    let shortcut = [(ctrlKey || metaKey) && 'Control', shiftKey && 'Shift', key]
      .filter(Boolean).join('+');
    if (shortcut.toLowerCase() === 'control+y') shortcut = 'Control+Shift+Z';
    const button = find(`[aria-keyshortcuts="${CSS.escape(shortcut)}" i]`);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();  // Streamlit has shortcuts of its own
    press(button);
  };
  canvas.setAttribute('aria-label', data.label);
  return board;
}

export default function ({ data, parentElement, setStateValue }) {
  // Called again when the theme changes; what was drawn since then stays.
  const canvas = parentElement.querySelector('canvas');
  if (boards.get(canvas)?.name !== data.name) boards.set(canvas, begin(parentElement, data));
  boards.get(canvas).send = (drawing) => setStateValue('drawing', drawing);
}
"""

_component = st.components.v2.component("fmnist_canvas", html=_HTML, css=_CSS, js=_JS)


def canvas(ground: NDArray[np.uint8], *, key: str, label: str) -> NDArray[np.uint8] | None:
    """Show a square picture uint8 (N, N) to draw on; each key has a drawing of its own.

    Returns what is there, uint8 (EDGE, EDGE), or None while nothing is drawn. Raises PictureError
    for a drawing that isn't one.
    """
    kept = st.session_state.setdefault("drawings", {})
    if key not in st.session_state:  # the page is opened, maybe not for the first time
        st.session_state["canvas opened with"] = kept.get(key, {})
    opened: dict[str, Any] = st.session_state["canvas opened with"]
    result = _component(
        key=key,
        data={
            "name": key,
            "label": label,
            "ground": data_url(ground),
            "strokes": opened.get("strokes", []),
        },
        default={"drawing": opened},
        on_drawing_change=lambda: None,
    )
    picture = decode(result.get("drawing"))
    kept[key] = result.get("drawing")
    return picture


def decode(drawing: object) -> NDArray[np.uint8] | None:
    """What a browser says was drawn, uint8 (EDGE, EDGE); None where that is nothing.

    Raises PictureError, in a sentence for people, for anything else.
    """
    try:
        if not isinstance(drawing, dict) or not isinstance(drawing.get("strokes", []), list):
            raise PictureError
        content = drawing.get("picture")
        if content is None:
            return None
        if not isinstance(content, str) or len(content) > MOST_CHARACTERS:
            raise PictureError
        picture = reading.read(base64.b64decode(content, validate=True))
        if picture.size != (EDGE, EDGE):
            raise PictureError
    except (PictureError, ValueError):
        raise PictureError("It did not arrive whole; draw one more stroke.") from None
    return np.asarray(picture.convert("L"))
