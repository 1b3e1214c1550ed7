const WORDS = ['name', 'answer', 'confidence', 'remark'];

function part(tag, area, fields) {
  const element = Object.assign(document.createElement(tag), fields);
  element.className = area;
  element.style.gridArea = area;
  return element;
}

function refused({ name, error }) {
  const row = Object.assign(document.createElement('p'), { className: 'row error' });
  row.textContent = `${name}: ${error}`;
  row.style.margin = 0;
  return row;
}

export default function ({ data, parentElement, setStateValue }) {
  const list = parentElement.querySelector('fieldset');
  const before = list.querySelector('input:checked')?.value;
  const first = data.rows.findIndex(({ error }) => !error);
  const rows = data.rows.map((row, index) => {
    if (row.error) return refused(row);
    const label = Object.assign(document.createElement('label'), { className: 'row' });
    const choice = Object.assign(document.createElement('input'), {
      type: 'radio',
      name: 'picture',
      value: index,
      checked: index === Number(before ?? first),
      onchange: () => setStateValue('picked', index),
    });
    label.append(
      choice,
      part('img', 'picture', { src: row.picture, alt: '' }),
      part('img', 'seen', { src: row.seen, alt: '' }),
      ...WORDS.map((area) => part('span', area, { textContent: row[area] })),
    );
    return label;
  });
  list.querySelector('legend').textContent = data.label;
  const focused = list.contains(list.getRootNode().activeElement);
  list.replaceChildren(list.querySelector('legend'), ...rows);
  if (focused) list.querySelector('input:checked')?.focus({ preventScroll: true });
}
