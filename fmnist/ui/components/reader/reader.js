const PAUSE = 250; // milliseconds between two steps
const STEP = 6; // pixels of a step, down
const WIDEST = 260; // pixels of a line of states
const readers = new WeakMap();

let language; // of the page, which comes with the data

const percent = (share) => written(share, 1, language, 'percent');

class Reader {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.slider = this.find('input');
    this.slider.oninput = () => this.move(Number(this.slider.value));
    this.find('.play').onclick = () => (this.clock ? this.stop() : this.play());
  }

  show(data) {
    const steps = data.probabilities.length;
    const ended = this.at === undefined || this.at === this.data.probabilities.length;
    this.data = data;
    this.slider.max = steps;
    this.find('.caption').textContent = data.words.head;
    this.find('.garment').ariaLabel = data.words.garment;
    this.garment = new Image();
    this.garment.onload = () => this.paintGarment();
    this.garment.src = data.garment;
    this.table();
    this.pictures = data.lines.map((line) => this.line(line));
    this.find('.lines').replaceChildren(...this.pictures.map(({ figure }) => figure));
    this.move(ended ? steps : Math.min(this.at, steps));
    this.label();
  }

  table() {
    const { classes, probabilities, words } = this.data;
    const over = this.find('.over');
    over.ariaLabel = words.over;
    this.cells = classes.map((name, label) => {
      const line = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = name;
      const cells = probabilities.map((row) => {
        const cell = document.createElement('td');
        cell.style.setProperty('--share', row[label]);
        cell.title = percent(row[label]);
        return cell;
      });
      const number = document.createElement('td');
      number.className = 'number';
      line.append(head, ...cells, number);
      return { line, cells, number };
    });
    over.replaceChildren(...this.cells.map(({ line }) => line));
  }

  line({ title, picture, width }) {
    const figure = document.createElement('div');
    figure.className = 'line';
    const caption = document.createElement('p');
    caption.textContent = title;
    const canvas = document.createElement('canvas');
    canvas.role = 'img';
    canvas.ariaLabel = title;
    const steps = this.data.probabilities.length;
    const cell = Math.max(1, Math.min(4 * STEP, Math.floor(WIDEST / width)));
    canvas.width = width * cell;
    canvas.height = steps * STEP;
    figure.append(caption, canvas);
    const sheet = new Image();
    const part = { figure, canvas, sheet };
    sheet.onload = () => this.paintLine(part);
    sheet.src = picture;
    return part;
  }

  // The rows from the first to the last that has been read.
  read() {
    const steps = this.data.probabilities.length;
    return this.data.fromEnd ? [steps - this.at, steps] : [0, this.at];
  }

  shade(canvas, first, last) {
    const pen = canvas.getContext('2d');
    const step = canvas.height / this.data.probabilities.length;
    pen.fillStyle = 'rgb(0 0 0 / 0.72)';
    pen.fillRect(0, 0, canvas.width, first * step);
    pen.fillRect(0, last * step, canvas.width, canvas.height);
    pen.fillStyle = '#fff';
    pen.fillRect(0, (this.data.fromEnd ? first : last) * step - 1, canvas.width, 2);
  }

  paintGarment() {
    const canvas = this.find('.garment');
    const pen = canvas.getContext('2d');
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.garment, 0, 0, canvas.width, canvas.height);
    this.shadeGarment(canvas, pen);
  }

  // Dark is what no step has read: of rows, of columns, or of both.
  shadeGarment(canvas, pen) {
    const { rows, columns } = this.data;
    if (!columns) {
      this.shade(canvas, ...this.read());
      return;
    }
    const step = canvas.width / this.data.probabilities.length;
    const [first, last] = this.read().map((row) => row * step);
    const unread = this.data.fromEnd ? [0, first] : [last, canvas.width - last];
    pen.fillStyle = 'rgb(0 0 0 / 0.72)';
    pen.fillRect(unread[0], rows ? unread[0] : 0, unread[1], rows ? unread[1] : canvas.height);
    pen.fillStyle = '#fff';
    const edge = (this.data.fromEnd ? first : last) - 1;
    pen.fillRect(edge, 0, 2, canvas.height);
    if (rows) pen.fillRect(0, edge, canvas.width, 2);
  }

  paintLine({ canvas, sheet }) {
    const pen = canvas.getContext('2d');
    pen.imageSmoothingEnabled = false;
    pen.drawImage(sheet, 0, 0, canvas.width, canvas.height);
    this.shade(canvas, ...this.read());
  }

  move(step) {
    this.at = step;
    this.slider.value = step;
    const { probabilities, classes, words } = this.data;
    const row = probabilities[step - 1];
    const best = row.indexOf(Math.max(...row));
    const numbers = {
      step,
      steps: probabilities.length,
      name: classes[best],
      share: percent(row[best]),
    };
    this.find('.after').textContent = filled(words.after, numbers);
    for (const [label, { line, cells, number }] of this.cells.entries()) {
      line.classList.toggle('first', label === best);
      number.textContent = percent(row[label]);
      for (const [at, cell] of cells.entries()) cell.classList.toggle('here', at === step - 1);
    }
    if (this.garment.complete) this.paintGarment();
    for (const part of this.pictures) if (part.sheet.complete) this.paintLine(part);
  }

  play() {
    if (this.at === this.data.probabilities.length) this.move(1);
    this.clock = setInterval(() => {
      if (this.at === this.data.probabilities.length) this.stop();
      else this.move(this.at + 1);
    }, PAUSE);
    this.label();
  }

  stop() {
    clearInterval(this.clock);
    this.clock = undefined;
    this.label();
  }

  label() {
    this.find('.play').textContent = this.clock ? this.data.words.pause : this.data.words.play;
  }
}

export default function ({ data, parentElement }) {
  language = data.language;
  const root = parentElement.querySelector('.reader');
  if (!readers.has(root)) readers.set(root, new Reader(root));
  readers.get(root).show(data);
  return () => readers.get(root)?.stop();
}
