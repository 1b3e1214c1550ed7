const SMALL = 44; // pixels of a map in a row
const LARGE = 280;
const LARGE_CELL = 56;
const FILTER = 22; // pixels of a filter below its map
const CELL = 12; // of a layer without neighbours
const GAP = 2;
const BLOCK = 84; // pixels of a patch or a kernel
const LONE_BLOCK = 112;
const MOST_PARTS = 4;
const MOST_NUMBERS = 36; // of a patch whose numbers are written out
const WARM = [255, 110, 20];
const COOL = [40, 130, 255];
const boards = new WeakMap();

function element(name, className, text = '') {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function array({ shape, values }) {
  const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
  return { shape, values: new Float32Array(bytes.buffer) };
}

let language; // of the page, which comes with the data

const exact = (value) => written(value, Math.abs(value) < 10 ? 3 : 1, language);

const greatest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);

// Black is zero, orange above it, blue below.
function heat(pen, values, columns, size, largest = greatest(values)) {
  for (let at = 0; at < values.length; at++) {
    const share = Math.abs(values[at]) / largest;
    const colour = (values[at] > 0 ? WARM : COOL).map((channel) => Math.round(channel * share));
    pen.fillStyle = `rgb(${colour})`;
    pen.fillRect((at % columns) * size, Math.floor(at / columns) * size, size, size);
  }
}

function picture(values, rows, columns, label, edge) {
  const canvas = document.createElement('canvas');
  const size = Math.max(1, Math.floor(edge / Math.max(rows, columns)));
  canvas.width = columns * size;
  canvas.height = rows * size;
  canvas.role = 'img';
  canvas.ariaLabel = label;
  heat(canvas.getContext('2d'), values, columns, size);
  return canvas;
}

function numbers(values, columns, label, marked = -1) {
  const table = element('table', '');
  table.ariaLabel = label;
  for (let start = 0; start < values.length; start += columns) {
    const line = element('tr', '');
    for (let at = start; at < start + columns; at++) {
      line.append(element('td', at === marked ? 'greatest' : '', written(values[at], 2, language)));
    }
    table.append(line);
  }
  return table;
}

function block(values, rows, columns, label, edge = BLOCK) {
  const made = element('div', 'block');
  made.append(
    element('span', 'name', label),
    values.length <= MOST_NUMBERS
      ? numbers(values, columns, label)
      : picture(values, rows, columns, label, edge),
  );
  return made;
}

// Where a map is in the picture of all.
function within({ columns, width, height }, at) {
  return [(at % columns) * width, Math.floor(at / columns) * height, width, height];
}

class Board {
  constructor(root) {
    this.root = root;
    this.rows = root.querySelector('.rows');
    this.large = root.querySelector('.large');
    this.lines = new Map();
    this.at = [0, 0];
    this.large.onpointermove = (event) => this.point(event);
    this.large.onpointerdown = (event) => this.point(event);
    this.large.onkeydown = (event) => this.walk(event);
    root.querySelector('.back').onclick = () => this.follow(-1);
    root.querySelector('.forth').onclick = () => this.follow(1);
  }

  // New values come with every stroke; what is chosen and pointed at stays.
  show(data, choose) {
    this.data = data;
    this.choose = choose;
    this.given = array(data.given);
    this.taken = array(data.origin.taken);
    this.kernel = array(data.origin.kernel);
    const [height, width] = this.given.shape;
    this.at = [Math.min(this.at[0], height - 1), Math.min(this.at[1], width - 1)];
    const wanted = `${data.chosen} ${height} ${width}`;
    if (this.shown !== wanted) {
      const onPath = data.path[data.chosen[0]];
      this.at = onPath?.[0] === data.chosen[1] ? onPath.slice(1) : [height >> 1, width >> 1];
      this.shown = wanted;
    }
    this.rows.ariaLabel = data.label;
    const names = data.rows.map(({ name }) => name).join();
    if (`${this.picked}` === `${data.chosen}`) this.picked = null;
    if (this.names !== names) {
      this.picked = null;
      this.names = names;
      this.lines.clear();
      this.rows.replaceChildren(...data.rows.map((row) => this.line(row)));
    }
    for (const row of data.rows) this.fill(row);
    this.scroll();
    const { title } = data.rows.find(({ name }) => name === data.chosen[0]);
    this.root.querySelector('.title').textContent = title;
    const hint = this.root.querySelector('.pointing');
    hint.textContent = data.words.hint;
    hint.hidden = height * width === 1;
    this.way();
    this.kernels();
    this.explain();
  }

  // The layers of the path before the chosen one and after it, the nearest first.
  along(by) {
    const { rows, path, chosen } = this.data;
    const here = rows.findIndex(({ name }) => name === chosen[0]);
    const beside = by < 0 ? rows.slice(0, here).reverse() : rows.slice(here + 1);
    return beside.filter(({ name }) => name in path);
  }

  follow(by) {
    const next = this.along(by)[0];
    if (!next) return;
    this.scrolled = undefined; // it is to be in sight
    this.pick(next.name, this.data.path[next.name][0]);
  }

  way() {
    const { words, rows, path } = this.data;
    const find = (selector) => this.root.querySelector(`.way ${selector}`);
    find('.hint').textContent = words.way;
    find('.back').textContent = words['towards pixel'];
    find('.forth').textContent = words['towards answer'];
    find('.back').disabled = !this.along(-1).length;
    find('.forth').disabled = !this.along(1).length;
    this.root.querySelector('.way').hidden = rows.filter(({ name }) => name in path).length < 2;
  }

  // Every part of the chosen map's kernel, side by side.
  kernels() {
    const [maps, rows, columns] = this.kernel.shape;
    const canvas = this.root.querySelector('.kernels');
    const name = this.root.querySelector('.kernels-name');
    canvas.hidden = name.hidden = maps < 2 || rows * columns < 2;
    if (canvas.hidden) return;
    name.textContent = canvas.ariaLabel = this.data.words.kernels;
    const size = Math.max(1, Math.floor(28 / Math.max(rows, columns)));
    const [wide, high] = [columns * size + GAP, rows * size + GAP];
    const perLine = Math.max(1, Math.floor(LARGE / wide));
    canvas.width = Math.min(maps, perLine) * wide;
    canvas.height = Math.ceil(maps / perLine) * high;
    const pen = canvas.getContext('2d');
    const largest = greatest(this.kernel.values);
    for (let map = 0; map < maps; map++) {
      const part = this.kernel.values.subarray(map * rows * columns, (map + 1) * rows * columns);
      pen.setTransform(1, 0, 0, 1, (map % perLine) * wide, Math.floor(map / perLine) * high);
      heat(pen, part, columns, size, largest);
    }
  }

  line({ name }) {
    const line = element('div', 'layer');
    const head = element('p', 'head');
    head.append(element('strong', 'kind'), element('span', 'shape'), element('span', 'more'));
    const canvas = element('canvas', 'maps');
    canvas.tabIndex = 0;
    canvas.role = 'application';
    const at = (event) => this.under(name, event);
    canvas.onclick = (event) => this.pick(name, at(event));
    canvas.onkeydown = (event) => this.step(name, event);
    canvas.onpointermove = (event) => {
      const number = at(event);
      canvas.title = number === undefined ? '' : filled(this.data.words.input, { map: number + 1 });
    };
    line.append(head, canvas);
    this.lines.set(name, { line, canvas, sheet: new Image(), filters: new Image() });
    return line;
  }

  // What a link chooses is in sight, as is all that begins in the upper half; after that only a
  // hand scrolls.
  scroll() {
    const chosen = this.lines.get(this.data.chosen[0]).line;
    if (this.scrolled !== this.names) {
      this.scrolled = this.names;
      requestAnimationFrame(() => {
        const { top, height } = this.rows.getBoundingClientRect();
        const below = chosen.getBoundingClientRect().top - top;
        if (below < 0 || below > height / 2) this.rows.scrollBy(0, below - 80);
      });
    }
  }

  fill(row) {
    const part = this.lines.get(row.name);
    part.row = row;
    const { words, chosen } = this.data;
    part.line.classList.toggle('chosen', row.name === chosen[0]);
    part.line.querySelector('.kind').textContent = row.title;
    part.line.querySelector('.shape').textContent = row.shape;
    const less = row.shown.length < row.total;
    part.line.querySelector('.more').textContent = less
      ? filled(words.more, { shown: row.shown.length, count: row.total })
      : '';
    const onPath = row.name in this.data.path ? `, ${words.path}` : '';
    part.canvas.ariaLabel = `${row.title}, ${row.shape}${onPath}`;
    this.layOut(part);
    part.sheet.onload = part.filters.onload = () => this.paint(part);
    part.sheet.src = row.maps.picture;
    if (row.filters) part.filters.src = row.filters.picture;
  }

  layOut(part) {
    const { maps, filters, shown } = part.row;
    const { width, height } = maps;
    const room = Math.max(120, this.rows.clientWidth - 24);
    const wide = Math.min(width * height === 1 ? CELL : (width / height) * SMALL, room);
    part.map = [wide, (wide / width) * height];
    part.cell = [wide + GAP, part.map[1] + GAP + (filters ? FILTER + 2 * GAP : 0)];
    part.perLine = Math.max(1, Math.floor((room + GAP) / part.cell[0]));
    part.lines = Math.ceil(shown.length / part.perLine);
    part.size = [Math.min(shown.length, part.perLine) * part.cell[0], part.lines * part.cell[1]];
    [part.canvas.style.width, part.canvas.style.height] = part.size.map((edge) => `${edge}px`);
  }

  paint(part) {
    this.layOut(part);
    const { row, canvas, sheet, filters, map, cell, perLine, size } = part;
    const fine = devicePixelRatio || 1;
    [canvas.width, canvas.height] = size.map((edge) => Math.ceil(edge * fine));
    const pen = canvas.getContext('2d');
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.imageSmoothingEnabled = false;
    const primary = getComputedStyle(canvas).getPropertyValue('--st-primary-color').trim();
    const [layer, number] = this.data.chosen;
    const onPath = this.data.path[row.name]?.[0];
    for (let at = 0; at < row.shown.length; at++) {
      const x = (at % perLine) * cell[0];
      const y = Math.floor(at / perLine) * cell[1];
      pen.drawImage(sheet, ...within(row.maps, at), x, y, ...map);
      if (row.filters && filters.complete) {
        const left = x + (map[0] - FILTER) / 2;
        pen.drawImage(filters, ...within(row.filters, at), left, y + map[1] + GAP, FILTER, FILTER);
      }
      if (row.shown[at] === onPath) ring(pen, x, y, ...map, '#fff', 1);
      if (row.name === layer && row.shown[at] === number) ring(pen, x, y, ...map, primary, 2);
    }
    canvas.dataset.painted = row.shown.length;
  }

  under(name, event) {
    const part = this.lines.get(name);
    const box = part.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / part.cell[0]);
    const line = Math.floor((event.clientY - box.top) / part.cell[1]);
    return column < part.perLine ? part.row.shown[line * part.perLine + column] : undefined;
  }

  pick(name, number) {
    if (number === undefined) return;
    this.data.chosen = this.picked = [name, number];
    for (const part of this.lines.values()) this.paint(part);
    this.choose([name, number]);
  }

  step(name, event) {
    const { row, perLine } = this.lines.get(name);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perLine, ArrowUp: -perLine };
    if (isForBrowser(event)) return;
    // Not from where an answer to a step before has been.
    const [layer, number] = this.picked ?? this.data.chosen;
    const here = layer === name ? row.shown.indexOf(number) : -1;
    if (event.key in moves) this.pick(name, row.shown[here < 0 ? 0 : here + moves[event.key]]);
    else if (event.key === 'Enter' || event.key === ' ')
      this.pick(name, row.shown[Math.max(here, 0)]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  point(event) {
    const [height, width] = this.given.shape;
    const box = this.large.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    if (row < 0 || column < 0 || row >= height || column >= width) return;
    this.at = [row, column];
    this.explain();
  }

  walk(event) {
    if (isForBrowser(event)) return;
    const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    const [height, width] = this.given.shape;
    const [down, across] = moves[event.key];
    const clamp = (value, size) => Math.max(0, Math.min(size - 1, value));
    this.at = [clamp(this.at[0] + down, height), clamp(this.at[1] + across, width)];
    this.explain();
  }

  explain() {
    const [height, width] = this.given.shape;
    const [row, column] = this.at;
    const { words, origin, chosen } = this.data;
    const size = Math.max(1, Math.min(LARGE_CELL, Math.floor(LARGE / Math.max(height, width))));
    this.large.width = width * size;
    this.large.height = height * size;
    const pen = this.large.getContext('2d');
    heat(pen, this.given.values, width, size);
    ring(pen, column * size, row * size, size, size, '#fff', Math.max(1, Math.min(3, size / 6)));
    const value = this.given.values[row * width + column];
    const single = height * width === 1;
    const place = { row: row + 1, column: column + 1, map: chosen[1] + 1, value: exact(value) };
    const name = this.data.meaning;
    const said = filled(single ? (name ? words.named : words.single) : words.unit, {
      ...place,
      name,
    });
    this.large.ariaLabel = `${said}. ${words.hint}`;
    this.root.querySelector('.value').textContent = said;
    const parts = {
      sum: () => this.sum(),
      max: () => this.window('max', value),
      mean: () => this.window('mean', value),
    };
    const here = () => this.taken.values[row * width + column];
    const sentences = {
      each: () => filled(words.each, { value: exact(here()) }),
      added: () => filled(words.added, { before: exact(here()), found: exact(value - here()) }),
      value: () => words.value,
    };
    const made = parts[origin.how]?.() ?? [element('p', '', sentences[origin.how]())];
    this.root.querySelector('.origin').replaceChildren(...made);
  }

  // What a kernel of that size sees of one map from the unit that is pointed at.
  patch(map, rows, columns) {
    const { stride, before, dilation } = this.data.origin;
    const [, height, width] = this.taken.shape;
    const seen = [];
    for (let down = 0; down < rows; down++) {
      for (let across = 0; across < columns; across++) {
        const y = this.at[0] * stride[0] - before[0] + down * dilation[0];
        const x = this.at[1] * stride[1] - before[1] + across * dilation[1];
        const inside = y >= 0 && x >= 0 && y < height && x < width;
        seen.push(inside ? this.taken.values[(map * height + y) * width + x] : 0);
      }
    }
    return seen;
  }

  window(how, value) {
    const { words } = this.data;
    const [, rows, columns] = this.kernel.shape;
    const seen = this.patch(0, rows, columns);
    const marked = how === 'max' ? seen.indexOf(Math.max(...seen)) : -1;
    const part = element('div', 'part');
    part.append(
      seen.length <= MOST_NUMBERS
        ? numbers(seen, columns, words.patch, marked)
        : picture(seen, rows, columns, words.patch, BLOCK),
    );
    return [part, element('p', '', filled(words[how], { value: exact(value) }))];
  }

  sum() {
    const { words, origin } = this.data;
    const [maps, rows, columns] = this.kernel.shape;
    const each = rows * columns;
    const found = [];
    for (let map = 0; map < maps; map++) {
      const seen = this.patch(map, rows, columns);
      const kernel = this.kernel.values.slice(map * each, (map + 1) * each);
      const share = seen.reduce((sum, value, at) => sum + value * kernel[at], 0);
      found.push({ map, seen, kernel, share });
    }
    found.sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
    const most = each === 1 ? 2 * MOST_PARTS : MOST_PARTS;
    const parts = found.slice(0, most).map(({ map, seen, kernel, share }) => {
      const part = element('div', 'part');
      if (each === 1) {
        const name = filled(words['single input'], { map: map + 1 });
        const product = `${exact(seen[0])} × ${exact(kernel[0])}`;
        part.append(element('span', 'name', name), element('span', 'product', product));
      } else {
        if (maps > 1)
          part.append(element('span', 'name above', filled(words.input, { map: map + 1 })));
        const edge = maps > 1 ? BLOCK : LONE_BLOCK;
        part.append(block(seen, rows, columns, words.patch, edge), element('span', '', '×'));
        part.append(block([...kernel], rows, columns, words.kernel, edge));
      }
      part.append(element('span', 'number', `= ${exact(share)}`));
      return part;
    });
    const rest = found.slice(most).reduce((sum, { share }) => sum + share, 0);
    const total = found.reduce((sum, { share }) => sum + share, origin.bias);
    const line = (name, value, className = '') => {
      const part = element('div', `part ${className}`);
      part.append(element('span', 'name wide', name), element('span', 'number', exact(value)));
      return part;
    };
    if (found.length > most) parts.push(line(words.others, rest));
    parts.push(line(words.bias, origin.bias), line(words.sum, total, 'sum'));
    return parts;
  }
}

function ring(pen, x, y, width, height, colour, thick) {
  pen.strokeStyle = colour;
  pen.lineWidth = thick;
  pen.strokeRect(x + thick / 2, y + thick / 2, width - thick, height - thick);
}

export default function ({ data, parentElement, setTriggerValue }) {
  language = data.language;
  const root = parentElement.querySelector('.layers');
  if (!boards.has(root)) boards.set(root, new Board(root));
  const board = boards.get(root);
  board.show(data, (chosen) => setTriggerValue('chosen', chosen));
  board.watch?.disconnect();
  board.watch = new ResizeObserver(() => {
    for (const part of board.lines.values()) if (part.sheet.complete) board.paint(part);
  });
  board.watch.observe(board.rows);
  return () => board.watch.disconnect();
}
