const WORSE = [194, 65, 12];
const BETTER = [24, 100, 171];
const NEITHER = [128, 128, 128];
const INKS = ['#000', '#fff'];

const same = (a, b) => a[0] === b[0] && a[1] === b[1];

function channels(colour) {
  const pen = document.createElement('canvas').getContext('2d');
  pen.fillStyle = colour;
  return pen.fillStyle.match(/[0-9a-f]{2}/gi).map((pair) => Number.parseInt(pair, 16));
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// Even a small share of the errors is told from none.
function paint(td, heat, ground) {
  const strength = Math.abs(heat);
  const share = strength <= 0.4 ? 0.04 + 1.275 * strength : 0.55 + 0.75 * (strength - 0.4);
  const full = heat < 0 ? BETTER : heat > 0 ? WORSE : NEITHER;
  const mixed = ground.map((value, i) => Math.round(value + share * (full[i] - value)));
  td.style.background = `rgb(${mixed})`;
  // Black or white: one of them has a contrast of 4.5 or more on every colour there is.
  const light = luminance(mixed);
  td.style.color = (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) ? INKS[0] : INKS[1];
}

// In figures; a point takes half of one.
const room = ({ text }) => text.length - (/[.,]/.test(text) ? 0.5 : 0);

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector('table');
  const ground = channels(getComputedStyle(table).getPropertyValue('--st-background-color').trim());
  const active = table.getRootNode().activeElement?.place;
  const tds = [];

  function choose(td) {
    if (!data.choosable) return;
    mark(td.place);
    setTriggerValue('chosen', td.place);
  }
  // What is chosen is seen before the server has answered.
  function mark([row, column]) {
    const whole = (row === null) !== (column === null);
    for (const td of tds.flat()) {
      td.setAttribute('aria-selected', same(td.place, [row, column]));
      const inLine = whole && (row === null ? td.place[1] === column : td.place[0] === row);
      td.classList.toggle('within', inLine && !same(td.place, [row, column]));
      td.classList.toggle('down', row === null);
    }
  }
  function follow(td) {
    for (const other of tds.flat()) other.tabIndex = other === td ? 0 : -1;
  }
  function cell({ place, text, title, heat }) {
    const td = element('td', '', text);
    td.role = 'gridcell';
    td.place = place;
    td.title = title;
    td.ariaLabel = title;
    td.tabIndex = -1;
    if (place.includes(null)) td.classList.add('head');
    else if (heat === null) td.classList.add('right');
    if (heat !== null) paint(td, heat, ground);
    td.onclick = () => {
      td.focus({ preventScroll: true });
      choose(td);
    };
    td.onfocus = () => follow(td);
    return td;
  }

  const heads = document.createElement('tr');
  heads.append(element('th', 'corner', data.corner.join('\n')));
  for (const name of data.columns) {
    const th = element('th', 'column', '');
    th.scope = 'col';
    th.append(element('span', '', name));
    heads.append(th);
  }
  const lines = data.cells.map((row, i) => {
    const line = document.createElement('tr');
    const th = element('th', 'row', data.rows[i]);
    th.scope = 'row';
    tds.push(row.map(cell));
    line.append(th, ...tds[i]);
    return line;
  });
  table.replaceChildren(heads, ...lines);
  table.ariaLabel = data.label;
  table.style.setProperty('--columns', data.columns.length);
  table.style.setProperty('--figures', Math.max(...data.cells.flat().map(room)));

  const find = (place) => tds.flat().find((td) => same(td.place, place));
  const chosen = data.chosen && find(data.chosen);
  if (chosen) mark(data.chosen);
  follow(find(active ?? data.chosen ?? []) ?? tds[0][0]);
  // A choice draws the table anew; the focus stays where it was.
  if (active) find(active)?.focus({ preventScroll: true });

  table.onkeydown = (event) => {
    const td = event.target.closest('td');
    const row = tds.findIndex((line) => line.includes(td));
    if (row < 0 || isForBrowser(event)) return;
    const column = tds[row].indexOf(td);
    const moves = {
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      Home: [row, 0],
      End: [row, tds[row].length - 1],
    };
    if (event.key in moves) {
      const [down, across] = moves[event.key];
      tds[down]?.[across]?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') choose(td);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
