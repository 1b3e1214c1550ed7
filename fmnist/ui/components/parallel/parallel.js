const HEAD = 58;
const HEIGHT = 260;
const FOOT = 30;
const LEFT = 40;
const RIGHT = 68; // where the last axis has its values
const LEAST = 104; // pixels from axis to axis, below which the row is moved sideways
const STEP = 0.05;
const CLICK = 4; // pixels, within which a press is none
const ROUNDING = 1e-6;

let space; // of names that stand in a drawing

function drawn(name, attributes, text) {
  const made = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A name of two words stands in two lines.
function named(name, x) {
  const words = name.split(' ');
  const half = Math.ceil(words.length / 2);
  const rows = [words.slice(0, half), words.slice(half)].filter((row) => row.length);
  const text = drawn('text', { class: 'name', x, y: 30 - 16 * rows.length });
  for (const row of rows) text.append(drawn('tspan', { x, dy: 16 }, row.join(' ')));
  return text;
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const frame = parentElement.querySelector('.parallel');
  const svg = frame.querySelector('svg');
  space = svg.namespaceURI;
  // What is brushed, by axis: it is kept here while the server draws the lines anew.
  frame.brushed ??= new Map();
  const { brushed } = frame;
  const last = data.axes.length - 1;
  let width = 0;

  const down = (place) => HEAD + (1 - place) * HEIGHT;
  const across = (axis) => LEFT + (axis * (width - LEFT - RIGHT)) / Math.max(1, last);
  const room = () => Math.max(frame.clientWidth - 6, LEFT + LEAST * last + RIGHT);
  const part = (axis) => brushed.get(axis) ?? [0, 1];
  const within = (place, [low, high]) => place >= low - ROUNDING && place <= high + ROUNDING;

  function send() {
    setStateValue(
      'brushed',
      Array.from(brushed, ([axis, ends]) => [axis, ...ends]),
    );
  }
  function brush(axis, ends) {
    const [low, high] = ends.map((end) => Math.min(1, Math.max(0, end))).sort((a, b) => a - b);
    if (low <= 0 && high >= 1) brushed.delete(axis);
    else brushed.set(axis, [low, high]);
    mark();
  }

  // What a drag moves; the lines that don't pass are seen at once.
  function mark() {
    for (const { line, places } of frame.lines) {
      line.classList.toggle('out', !places.every((place, axis) => within(place, part(axis))));
    }
    frame.ends.forEach((ends, axis) => {
      const now = part(axis);
      ends.forEach((end, which) => {
        end.setAttribute('transform', `translate(${across(axis)} ${down(now[which])})`);
        end.ariaValueNow = Math.round(100 * now[which]);
        end.ariaValueText = nearest(axis, now[which]);
      });
      const [low, high] = now;
      const shown = brushed.has(axis) ? HEIGHT * (high - low) : 0;
      frame.parts[axis].setAttribute('y', down(high));
      frame.parts[axis].setAttribute('height', Math.max(shown, brushed.has(axis) ? 2 : 0));
    });
  }
  function nearest(axis, place) {
    const { ticks } = data.axes[axis];
    const far = ([at]) => Math.abs(at - place);
    return ticks.reduce((one, other) => (far(other) < far(one) ? other : one))[1];
  }

  function drag(target, event, move, end) {
    if (frame.dragging || event.button) return;
    event.preventDefault();
    target.setPointerCapture(event.pointerId);
    frame.dragging = true;
    const top = svg.getBoundingClientRect().top;
    const began = event.clientY;
    const place = (moved) => 1 - (moved.clientY - top - HEAD) / HEIGHT;
    const from = place(event);
    target.onpointermove = (moved) => {
      if (moved.pointerId !== event.pointerId) return;
      if (Math.abs(moved.clientY - began) > CLICK) move(from, place(moved));
    };
    target.onlostpointercapture = (lost) => {
      if (lost.pointerId !== event.pointerId) return;
      target.onpointermove = target.onlostpointercapture = null;
      frame.dragging = false;
      end(Math.abs(lost.clientY - began) > CLICK);
      frame.redraw(); // with the trials that have ended meanwhile
      send();
    };
  }

  function end(axis, which) {
    const group = drawn('g', { class: 'end', role: 'slider', tabindex: 0 });
    const y = which ? -12 : 0;
    group.append(
      drawn('rect', { class: 'around', x: -22, y: which ? -34 : -10, width: 44, height: 44 }),
      drawn('rect', { class: 'grip', x: -11, y, width: 22, height: 12, rx: 4 }),
    );
    const message = data.words[which ? 'highest' : 'lowest'];
    group.ariaLabel = filled(message, { axis: data.axes[axis].name });
    group.ariaOrientation = 'vertical';
    group.ariaValueMin = 0;
    group.ariaValueMax = 100;
    const to = (place) => {
      const other = part(axis)[1 - which];
      const least = which ? Math.max(place, other) : Math.min(place, other);
      brush(axis, which ? [other, least] : [least, other]);
    };
    // The page stays where it is; in a drawing no style says so.
    group.addEventListener('touchstart', (event) => event.preventDefault(), { passive: false });
    group.onpointerdown = (event) => {
      const began = part(axis)[which];
      const move = (from, place) => to(began + place - from);
      drag(group, event, move, () => {});
    };
    group.onkeydown = (event) => {
      const now = part(axis)[which];
      const moves = {
        ArrowUp: now + STEP,
        ArrowDown: now - STEP,
        Home: 0,
        End: 1,
        Escape: which,
      };
      if (!(event.key in moves)) return;
      event.preventDefault();
      event.stopPropagation();
      to(moves[event.key]);
      send();
    };
    return group;
  }

  function field(axis) {
    const made = drawn('rect', {
      class: 'field',
      x: across(axis) - 16,
      y: HEAD,
      width: 32,
      height: HEIGHT,
    });
    made.onpointerdown = (event) => {
      // A finger there moves the page.
      if (event.pointerType !== 'mouse') return;
      drag(
        made,
        event,
        (from, place) => brush(axis, [from, place]),
        (moved) => moved || brush(axis, [0, 1]),
      );
    };
    return made;
  }

  function line({ number, title, shade, places }) {
    const points = places.map((place, axis) => `${across(axis)},${down(place)}`).join(' ');
    const seen = drawn('polyline', { class: 'line', points });
    seen.style.setProperty('--shade', `${100 * shade}%`);
    seen.classList.toggle('chosen', number === data.chosen);
    const near = drawn('polyline', { class: 'near', points });
    near.append(drawn('title', {}, title));
    near.onclick = () => setTriggerValue('chosen', number);
    seen.onclick = near.onclick;
    return { line: seen, near, places };
  }

  function draw() {
    const active = svg.getRootNode().activeElement?.ariaLabel;
    width = room();
    const height = HEAD + HEIGHT + FOOT;
    for (const [key, value] of Object.entries({ width, height })) svg.setAttribute(key, value);
    frame.lines = data.lines.map(line);
    frame.parts = data.axes.map((_, axis) =>
      drawn('rect', { class: 'part', x: across(axis) - 8, width: 16, height: 0 }),
    );
    frame.ends = data.axes.map((_, axis) => [end(axis, 0), end(axis, 1)]);
    const above = frame.lines.filter(({ line }) => line.classList.contains('chosen'));
    svg.replaceChildren(
      ...data.axes.map((_, axis) => {
        const x = across(axis);
        return drawn('line', { class: 'axis', x1: x, x2: x, y1: HEAD, y2: HEAD + HEIGHT });
      }),
      ...[...frame.lines, ...above].flatMap(({ near, line }) => [near, line]),
      ...data.axes.flatMap(({ name, ticks }, axis) => [
        named(name, across(axis)),
        ...ticks.map(([place, text]) =>
          drawn('text', { class: 'tick', x: across(axis) + 14, y: down(place) + 4 }, text),
        ),
        field(axis),
        frame.parts[axis],
        ...frame.ends[axis],
      ]),
    );
    mark();
    if (active)
      frame.ends
        .flat()
        .find(({ ariaLabel }) => ariaLabel === active)
        ?.focus();
  }

  frame.ariaLabel = data.label;
  frame.redraw = draw;
  if (!frame.dragging) draw();
  frame.watch?.disconnect();
  frame.watch = new ResizeObserver(() => {
    if (!frame.dragging && room() !== width) draw();
  });
  frame.watch.observe(frame);
}
