const EDGE = 280;
const LEAST_MOVE = 1;
const CLEAR = { tool: 'clear' };
const boards = new WeakMap();

const lastClear = (strokes) => strokes.findLastIndex(({ tool }) => tool === CLEAR.tool);

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
  if (tool === 'shape') {
    pen.closePath();
    pen.fill();
  }
  pen.stroke();
}

function layer(edge) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = edge;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.setTransform(edge / EDGE, 0, 0, edge / EDGE, 0, 0);
  return pen;
}

// As aria-keyshortcuts writes it.
function shortcut({ key, ctrlKey, metaKey, shiftKey }) {
  const keys = [(ctrlKey || metaKey) && 'Control', shiftKey && 'Shift', key];
  const pressed = keys.filter(Boolean).join('+');
  return pressed.toLowerCase() === 'control+y' ? 'Control+Shift+Z' : pressed;
}

function begin(parentElement, data) {
  const find = (selector) => parentElement.querySelector(selector);
  const canvas = find('canvas');
  const buttons = parentElement.querySelectorAll('button');
  const view = canvas.getContext('2d');
  const fine = layer(canvas.width);
  const small = layer(EDGE);
  const board = { name: data.name };
  const chosen = { tool: 'brush', shade: 255, width: 12 };
  // Clearing is a stroke like any other, and can be undone like any other.
  let strokes = data.strokes;
  let undone = [];
  let current = null;
  let held = null; // the pointer that draws it
  let frame = 0;

  const visible = () => strokes.slice(lastClear(strokes) + 1);

  const invitation = find('.invitation');
  if (data.invitation) {
    find('.invitation img').src = data.outline;
  }
  const ground = new Image();
  ground.onload = repaint;
  ground.src = data.ground;

  function repaint() {
    for (const pen of [fine, small]) {
      pen.imageSmoothingEnabled = ground.width > EDGE; // a 28x28 keeps its squares
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
    invitation.hidden = !data.invitation || current || visible().length > 0;
    for (const button of buttons) {
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
    undo() {
      undone.push(strokes.at(-1));
      strokes = strokes.slice(0, -1);
    },
    redo() {
      strokes = [...strokes, undone.pop()];
    },
    // What is sent with every stroke must not grow all lesson: this drawing and the one before it.
    clear() {
      strokes = [...strokes.slice(lastClear(strokes.slice(0, lastClear(strokes))) + 1), CLEAR];
      undone = [];
    },
  };
  function press(button) {
    if (button.getAttribute('aria-disabled') === 'true') return;
    const { set, value, do: action } = button.dataset;
    if (set) {
      chosen[set] = set === 'tool' ? value : Number(value);
      show();
    } else {
      actions[action]();
      const values = { action: button.ariaLabel, count: visible().length };
      find('.said').textContent = filled(board.words.done, values);
      repaint();
      send();
    }
  }
  for (const button of buttons) button.onclick = () => press(button);

  function follow(event) {
    const box = canvas.getBoundingClientRect();
    const place = (at, start, size) => Math.round(((at - start) / size) * EDGE * 4) / 4;
    const x = place(event.clientX, box.left, box.width);
    const y = place(event.clientY, box.top, box.height);
    const { tool, points } = current;
    if (tool === 'line') points.splice(2, 2, x, y);
    else if (Math.hypot(x - points.at(-2), y - points.at(-1)) < LEAST_MOVE) return;
    else points.push(x, y);
  }
  canvas.onpointerdown = (event) => {
    // A pen takes over from the palm that came before it.
    const palm = event.pointerType === 'pen' && held?.pointerType === 'touch';
    if ((current && !palm) || event.button) return;
    held = event;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    const erases = chosen.tool === 'eraser';
    current = { ...chosen, ...(erases && { tool: 'brush', shade: 0 }), points: [] };
    follow(event);
    show();
  };
  canvas.onpointermove = (event) => {
    if (!current || event.pointerId !== held.pointerId) return; // a second finger
    // Not every browser tells what came between two events, and some only where it is secure.
    const between = event.getCoalescedEvents?.() ?? [];
    for (const moved of between.length ? between : [event]) follow(moved);
    show();
  };
  canvas.onpointercancel = (event) => {
    if (event.pointerId !== held?.pointerId) return;
    current = null;
    show();
  };
  canvas.onlostpointercapture = (event) => {
    if (!current || event.pointerId !== held.pointerId) return;
    strokes = [...strokes, current];
    undone = [];
    for (const pen of [fine, small]) trace(pen, current);
    current = null;
    send();
    show();
  };

  find('.board').onkeydown = (event) => {
    const button = find(`[aria-keyshortcuts="${CSS.escape(shortcut(event))}" i]`);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has shortcuts of its own
    press(button);
  };
  return board;
}

export default function ({ data, parentElement, setStateValue }) {
  // Called again when the theme or the language changes; what was drawn since then stays.
  const canvas = parentElement.querySelector('canvas');
  if (boards.get(canvas)?.name !== data.name) boards.set(canvas, begin(parentElement, data));
  const board = boards.get(canvas);
  board.send = (drawing) => setStateValue('drawing', drawing);
  const [words, titles] = [data.words, data.titles].map(Object.fromEntries);
  board.words = words;
  say(parentElement, words);
  for (const button of parentElement.querySelectorAll('button')) {
    const key = button.getAttribute('aria-keyshortcuts').toUpperCase();
    button.title = titles[button.dataset.do] ?? `${button.ariaLabel} (${key})`;
  }
  canvas.setAttribute('aria-label', data.label);
  parentElement.querySelector('.invitation p').textContent = data.invitation;
}
