const SIDE = 28; // of a garment in the sheet
const FULL = 65535; // the width of the map in the unit of the positions
const THUMB = 22;
const MOST_ZOOM = 200;
const REACH = 10;
const LINE = 16; // from one class's name to the next
const CURSORS = { move: 'grab', lasso: 'crosshair', box: 'crosshair' };

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const bounded = (value, least, most) => Math.min(most, Math.max(least, value));

function rectangle([left, top], [right, bottom]) {
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

function encloses(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [ax, ay] = polygon[i];
    const [bx, by] = polygon[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}

// What a rerun of the page must not reset lives with the canvas.
function remembered(canvas, { name, grouping, sheet, chosen, picked }) {
  canvas.kept ??= { tool: 'move', pointers: new Map(), path: [], moved: false };
  const { kept } = canvas;
  if (kept.name !== name) {
    const nothing = { told: null, toldPicked: null, hovered: -1 };
    Object.assign(kept, { name, x: 0.5, y: 0.5, zoom: 1, ...nothing });
  }
  // The page's word counts when it changes: until it has heard of a choice, that stands here.
  if (kept.told !== chosen) {
    const rows = new Uint32Array(bytes(chosen).buffer);
    Object.assign(kept, { told: chosen, chosen: new Set(rows) });
  }
  if (kept.toldPicked !== picked) Object.assign(kept, { toldPicked: picked, picked });
  if (kept.grouping !== grouping) Object.assign(kept, { grouping, only: new Set() });
  if (kept.sheet?.source !== sheet) {
    kept.sheet = new Image();
    kept.sheet.source = sheet;
    kept.sheet.src = new URL(sheet, document.baseURI);
  }
  return kept;
}

class Garments {
  constructor(data) {
    this.classes = data.classes;
    this.messages = data.words;
    this.columns = data.columns;
    this.labels = bytes(data.labels);
    this.answers = bytes(data.answers);
    this.percents = bytes(data.percents);
    this.group = bytes(data.group);
    this.positions = new Uint16Array(bytes(data.positions).buffer);
    this.count = this.labels.length;
  }

  // 0 to 1 spans the map.
  x(index) {
    return this.positions[2 * index] / FULL;
  }

  y(index) {
    return this.positions[2 * index + 1] / FULL;
  }

  // Of each group the garment that is nearest to the middle of it; -1 where there is none.
  middles(groups) {
    this.middle ??= Array.from({ length: groups }, (_, group) => {
      const members = [...this.group.keys()].filter((index) => this.group[index] === group);
      const [x, y] = [0, 1].map((axis) => {
        const places = members.map((index) => this.positions[2 * index + axis]);
        return places.toSorted((a, b) => a - b)[places.length >> 1];
      });
      const off = (index) =>
        Math.hypot(this.positions[2 * index] - x, this.positions[2 * index + 1] - y);
      return members.reduce(
        (best, index) => (best < 0 || off(index) < off(best) ? index : best),
        -1,
      );
    });
    return this.middle;
  }

  inSheet(index) {
    const column = index % this.columns;
    const row = Math.floor(index / this.columns);
    return [column * SIDE, row * SIDE, SIDE, SIDE];
  }

  words(index) {
    const { classes, labels, answers, percents, messages } = this;
    return [
      classes[labels[index]],
      filled(messages.answer, { answer: classes[answers[index]], percent: percents[index] }),
      filled(messages.garment, { row: index.toLocaleString(document.documentElement.lang) }),
    ];
  }
}

class GarmentMap {
  constructor({ data, parentElement, setTriggerValue }) {
    const canvas = parentElement.querySelector('.ground > canvas');
    this.canvas = canvas;
    this.pen = canvas.getContext('2d');
    this.tip = parentElement.querySelector('.tip');
    this.said = parentElement.querySelector('.said');
    this.send = setTriggerValue;
    this.palette = data.colours;
    this.groups = data.groups;
    this.garments = new Garments(data);
    this.kept = remembered(canvas, data);
    this.width = 1;
    this.height = 1;
    this.scale = 1;
    this.frame = 0;
    this.thumbs = [];
    this.faces = new Map();
    canvas.dataset.count = this.garments.count;
    canvas.setAttribute('aria-label', data.label);
    this.kept.sheet.onload = () => this.redraw();
  }

  css(name) {
    return getComputedStyle(this.canvas).getPropertyValue(name).trim();
  }

  colours() {
    return this.palette === 'classes'
      ? this.css('--st-chart-categorical-colors').split(',')
      : [this.css('--st-gray-color'), this.css('--st-red-color')];
  }

  shown(index) {
    const { only } = this.kept;
    return !only.size || only.has(this.garments.group[index]);
  }

  // Where some are chosen, only those have faces.
  counts(index) {
    const { chosen } = this.kept;
    return !chosen.size || chosen.has(index);
  }

  // Where a garment stands on the canvas.
  across(index) {
    return (this.garments.x(index) - this.kept.x) * this.scale + this.width / 2;
  }

  down(index) {
    return (this.garments.y(index) - this.kept.y) * this.scale + this.height / 2;
  }

  visible(x, y, margin) {
    return x > -margin && y > -margin && x < this.width + margin && y < this.height + margin;
  }

  get thumbSize() {
    return THUMB * this.kept.zoom ** 0.25;
  }

  // One garment of each square of the map gets a thumbnail; a closer look has smaller squares.
  facesAt(level) {
    if (!this.faces.has(level)) {
      const whole = this.scale / this.kept.zoom;
      const edge = (1.6 * THUMB * 2 ** (level / 4)) / (whole * 2 ** level);
      this.faces.set(level, this.nearestToMiddles(edge));
    }
    return this.faces.get(level);
  }

  nearestToMiddles(edge) {
    const best = new Map();
    for (let index = 0; index < this.garments.count; index++) {
      if (!this.shown(index) || !this.counts(index)) continue;
      const x = this.garments.x(index) / edge;
      const y = this.garments.y(index) / edge;
      const square = Math.floor(x) + 1e5 * Math.floor(y);
      const off = ((x % 1) - 0.5) ** 2 + ((y % 1) - 0.5) ** 2;
      if (!best.has(square) || off < best.get(square)[1]) best.set(square, [index, off]);
    }
    return [...best.values()].map(([index]) => index);
  }

  // Drawing

  redraw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { canvas, kept } = this;
    this.measure();
    this.pen.clearRect(0, 0, this.width, this.height);
    const colours = this.colours();
    const visible = this.drawDots(colours);
    this.thumbs = [];
    this.pen.globalAlpha = 1;
    if (kept.sheet.complete && kept.sheet.naturalWidth) this.drawThumbs(colours);
    const names = this.palette === 'classes' ? this.drawNames() : 0;
    if (kept.path.length > 1) this.drawPath();
    if (canvas.matches(':focus-visible')) this.drawAim();
    Object.assign(canvas.dataset, {
      visible,
      thumbs: this.thumbs.length,
      names,
      zoom: kept.zoom.toFixed(2),
      chosen: kept.chosen.size,
      view: [kept.x, kept.y, this.scale].join(' '),
    });
  }

  measure() {
    const { canvas } = this;
    const fine = Math.min(devicePixelRatio || 1, 2);
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    const [width, height] = [Math.round(this.width * fine), Math.round(this.height * fine)];
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      this.faces.clear();
    }
    this.scale = 0.94 * Math.min(this.width, this.height) * this.kept.zoom;
    this.pen.setTransform(fine, 0, 0, fine, 0, 0);
  }

  drawDots(colours) {
    const { pen, garments, groups } = this;
    const { zoom } = this.kept;
    const size = Math.min(2.5 + Math.log2(zoom), 6);
    let visible = 0;
    // Group by group, the last on top: one colour change for thousands of dots.
    for (let group = 0; group < groups.length; group++) {
      pen.fillStyle = colours[group];
      for (let index = 0; index < garments.count; index++) {
        if (garments.group[index] !== group || !this.shown(index)) continue;
        const x = this.across(index);
        const y = this.down(index);
        if (!this.visible(x, y, size)) continue;
        visible++;
        pen.globalAlpha = this.counts(index) ? 0.8 : 0.15;
        // What is wrong is told from what is right by its shape, too.
        if (this.palette !== 'classes' && group) this.drawCross(x, y, size);
        else pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
    return visible;
  }

  drawThumbs(colours) {
    const { group } = this.garments;
    const { picked, hovered, zoom } = this.kept;
    const size = this.thumbSize;
    this.thumbs = this.facesAt(Math.floor(Math.log2(zoom))).filter((index) =>
      this.visible(this.across(index), this.down(index), size),
    );
    for (const index of this.thumbs) {
      this.drawThumb(index, size, colours[group[index]]);
    }
    for (const index of [picked, hovered]) {
      if (index >= 0) this.drawThumb(index, size * 1.3, this.css('--st-text-color'));
    }
  }

  drawThumb(index, size, frame) {
    const { pen, garments, kept } = this;
    const x = this.across(index) - size / 2;
    const y = this.down(index) - size / 2;
    pen.fillStyle = frame;
    pen.fillRect(x - 1.5, y - 1.5, size + 3, size + 3);
    pen.imageSmoothingEnabled = size < SIDE;
    pen.drawImage(kept.sheet, ...garments.inSheet(index), x, y, size, size);
  }

  drawCross(x, y, size) {
    this.pen.fillRect(x - size, y - size / 4, 2 * size, size / 2);
    this.pen.fillRect(x - size / 4, y - size, size / 2, 2 * size);
  }

  // A class by its name in its middle, for those who don't tell ten colours apart.
  drawNames() {
    const { pen, groups } = this;
    pen.font = `600 13px ${this.css('--st-font')}`;
    pen.textAlign = 'center';
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    pen.strokeStyle = this.css('--st-background-color');
    pen.fillStyle = this.css('--st-text-color');
    const taken = [];
    this.garments.middles(groups.length).forEach((index, group) => {
      if (index < 0 || !this.shown(index)) return;
      const half = pen.measureText(groups[group]).width / 2;
      const x = this.across(index);
      let y = this.down(index);
      while (taken.some(([a, b, c]) => Math.abs(a - x) < half + c && Math.abs(b - y) < LINE)) {
        y += LINE;
      }
      taken.push([x, y, half]);
      pen.strokeText(groups[group], x, y);
      pen.fillText(groups[group], x, y);
    });
    return taken.length;
  }

  drawPath() {
    const { pen } = this;
    pen.beginPath();
    for (const [x, y] of this.outline()) pen.lineTo(x, y);
    pen.closePath();
    pen.strokeStyle = pen.fillStyle = this.css('--st-primary-color');
    pen.lineWidth = 2;
    pen.stroke();
    pen.globalAlpha = 0.12;
    pen.fill();
    pen.globalAlpha = 1;
  }

  // What Space chooses, for those who see the focus.
  drawAim() {
    const { pen } = this;
    const [x, y] = [this.width / 2, this.height / 2];
    pen.strokeStyle = this.css('--st-text-color');
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x - 8, y);
    pen.lineTo(x + 8, y);
    pen.moveTo(x, y - 8);
    pen.lineTo(x, y + 8);
    pen.stroke();
  }

  // Choosing

  nearest(x, y) {
    const half = this.thumbSize / 2;
    for (const index of this.thumbs.toReversed()) {
      if (Math.abs(this.across(index) - x) < half && Math.abs(this.down(index) - y) < half) {
        return index;
      }
    }
    let [best, least] = [-1, REACH ** 2];
    for (let index = 0; index < this.garments.count; index++) {
      const off = (this.across(index) - x) ** 2 + (this.down(index) - y) ** 2;
      if (off < least && this.shown(index)) [best, least] = [index, off];
    }
    return best;
  }

  pick(index) {
    if (index < 0) return;
    this.kept.picked = index;
    this.said.textContent = this.garments.words(index).join('. ');
    this.send('picked', index);
    this.redraw();
  }

  pickMiddle() {
    this.pick(this.nearest(this.width / 2, this.height / 2));
  }

  chooseInView() {
    this.choose(rectangle([0, 0], [this.width, this.height]));
  }

  chooseNone() {
    this.kept.path = [];
    if (this.kept.chosen.size) this.choose([]);
    else this.redraw();
  }

  outline() {
    const { tool, path } = this.kept;
    return tool === 'box' ? rectangle(path[0], path.at(-1)) : path;
  }

  choose(polygon) {
    const rows = [];
    for (let index = 0; index < this.garments.count; index++) {
      const [x, y] = [this.across(index), this.down(index)];
      if (this.shown(index) && encloses(polygon, x, y)) rows.push(index);
    }
    this.kept.chosen = new Set(rows);
    this.faces.clear();
    this.said.textContent = filled(this.garments.messages.chosen, { count: rows.length });
    this.send('chosen', rows);
    this.redraw();
  }

  hover(index) {
    if (index === this.kept.hovered) return;
    this.kept.hovered = index;
    this.tip.hidden = index < 0;
    if (index >= 0) {
      this.fillTip(index);
      this.placeTip(index);
    }
    this.redraw();
  }

  fillTip(index) {
    const pen = this.tip.querySelector('canvas').getContext('2d');
    pen.clearRect(0, 0, SIDE, SIDE);
    pen.drawImage(this.kept.sheet, ...this.garments.inSheet(index), 0, 0, SIDE, SIDE);
    const lines = this.garments
      .words(index)
      .map((textContent) => Object.assign(document.createElement('div'), { textContent }));
    this.tip.querySelector('.words').replaceChildren(...lines);
  }

  placeTip(index) {
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const x = this.across(index);
    const left = x + 24 + width < this.width ? x + 24 : x - 24 - width;
    const top = Math.min(Math.max(0, this.down(index) - height / 2), this.height - height);
    this.tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
  }

  // Moving

  move(right, below) {
    const { kept } = this;
    kept.x = bounded(kept.x - right / this.scale, 0, 1);
    kept.y = bounded(kept.y - below / this.scale, 0, 1);
    this.hover(-1);
    this.redraw();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const { kept, scale } = this;
    const before = kept.zoom;
    kept.zoom = bounded(before * factor, 1, MOST_ZOOM);
    this.scale = scale * (kept.zoom / before);
    // What is at x, y stays there.
    kept.x += (x - this.width / 2) * (1 / scale - 1 / this.scale);
    kept.y += (y - this.height / 2) * (1 / scale - 1 / this.scale);
    this.move(0, 0);
  }

  showWhole() {
    Object.assign(this.kept, { x: 0.5, y: 0.5, zoom: 1 });
    this.hover(-1);
    this.redraw();
  }
}

// What a visitor does

function bar(map, buttons, titles) {
  const take = (tool) => {
    map.kept.tool = tool;
    map.canvas.style.cursor = CURSORS[tool];
    for (const button of buttons) {
      if (button.dataset.tool) button.setAttribute('aria-pressed', button.dataset.tool === tool);
    }
  };
  const actions = {
    move: () => take('move'),
    lasso: () => take('lasso'),
    box: () => take('box'),
    in: () => map.zoom(1.5),
    out: () => map.zoom(1 / 1.5),
    fit: () => map.showWhole(),
    clear: () => map.chooseNone(),
  };
  for (const button of buttons) {
    const name = button.dataset.tool ?? button.dataset.do;
    button.onclick = actions[name];
    button.title = titles[name];
  }
  take(map.kept.tool);
  return actions;
}

function legend(map) {
  const { only } = map.kept;
  const colours = map.colours();
  return map.groups.map((name, group) => {
    const button = document.createElement('button');
    const swatch = document.createElement('i');
    swatch.style.background = colours[group];
    button.append(swatch, name);
    button.setAttribute('aria-pressed', only.has(group));
    button.onclick = () => {
      if (!only.delete(group)) only.add(group);
      button.setAttribute('aria-pressed', only.has(group));
      map.faces.clear();
      map.redraw();
    };
    return button;
  });
}

function followPointers(map) {
  const { canvas, kept } = map;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left - 1, event.clientY - box.top - 1]; // inside the border
  };
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    kept.pointers.set(event.pointerId, place(event));
    kept.moved = kept.pointers.size > 1;
    kept.path = kept.tool === 'move' || kept.moved ? [] : [place(event)];
  };
  canvas.onpointermove = (event) => {
    const here = place(event);
    const before = kept.pointers.get(event.pointerId);
    if (!before) {
      map.hover(map.nearest(...here));
      return;
    }
    const [right, below] = [here[0] - before[0], here[1] - before[1]];
    if (!kept.moved && Math.hypot(right, below) < 4) return;
    kept.moved = true;
    kept.pointers.set(event.pointerId, here);
    if (kept.pointers.size === 2) {
      const [, other] = [...kept.pointers].find(([id]) => id !== event.pointerId);
      pinch(map, before, here, other);
    } else if (kept.path.length) {
      kept.path.push(here);
      map.hover(-1);
      map.redraw();
    } else {
      canvas.style.cursor = 'grabbing';
      map.move(right, below);
    }
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (!kept.pointers.delete(event.pointerId)) return;
    canvas.style.cursor = CURSORS[kept.tool];
    const drawn = kept.path.length > 1 && event.type === 'pointerup' ? map.outline() : [];
    kept.path = [];
    if (drawn.length) map.choose(drawn);
    else if (kept.moved || event.type === 'pointercancel') map.redraw();
    else {
      const index = map.nearest(...place(event));
      map.hover(index);
      map.pick(index);
    }
  };
  canvas.onpointerleave = () => map.hover(-1);
  canvas.onwheel = (event) => {
    event.preventDefault();
    map.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...place(event));
  };
}

function pinch(map, before, here, other) {
  const span = (a, b) => Math.max(20, Math.hypot(a[0] - b[0], a[1] - b[1]));
  map.move((here[0] - before[0]) / 2, (here[1] - before[1]) / 2);
  const middle = [(here[0] + other[0]) / 2, (here[1] + other[1]) / 2];
  map.zoom(span(here, other) / span(before, other), ...middle);
}

function followKeys(map, actions) {
  const { canvas } = map;
  canvas.onfocus = canvas.onblur = () => map.redraw();
  canvas.onkeydown = (event) => {
    if (isForBrowser(event)) return;
    const step = 0.15 * Math.min(map.width, map.height);
    const keys = {
      ArrowLeft: () => map.move(step, 0),
      ArrowRight: () => map.move(-step, 0),
      ArrowUp: () => map.move(0, step),
      ArrowDown: () => map.move(0, -step),
      '+': actions.in,
      '=': actions.in,
      '-': actions.out,
      0: actions.fit,
      Escape: actions.clear,
      m: actions.move,
      l: actions.lasso,
      b: actions.box,
      ' ': () => map.pickMiddle(),
      Enter: () => map.chooseInView(),
    };
    if (event.key in keys) {
      event.preventDefault();
      event.stopPropagation();
      keys[event.key]();
    }
  };
}

export default function (component) {
  const { data, parentElement } = component;
  say(parentElement, data.words);
  const map = new GarmentMap(component);
  const actions = bar(map, parentElement.querySelectorAll('.bar button'), data.titles);
  parentElement.querySelector('.legend').replaceChildren(...legend(map));
  followPointers(map);
  followKeys(map, actions);
  const { kept } = map;
  kept.watch?.disconnect();
  kept.watch = new ResizeObserver(() => map.redraw());
  kept.watch.observe(map.canvas);
  map.draw();
  return () => {
    kept.watch.disconnect();
    cancelAnimationFrame(map.frame);
  };
}
