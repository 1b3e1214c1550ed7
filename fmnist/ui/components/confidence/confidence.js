const HIGHEST = 60; // pixels

function bar(className, count, most) {
  const made = document.createElement('i');
  made.className = className;
  made.style.height = `${count && Math.max(2, (HIGHEST * count) / most)}px`;
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const group = parentElement.querySelector('.confidence');
  const most = Math.max(1, ...data.intervals.map(({ right, wrong }) => right + wrong));
  const active = group.getRootNode().activeElement?.dataset.low;
  const buttons = data.intervals.map(({ low, high, right, wrong, title }) => {
    const button = document.createElement('button');
    const chosen = data.chosen[0] === low && data.chosen[1] === high;
    const count = document.createElement('span');
    count.textContent = right + wrong || '';
    const name = document.createElement('span');
    name.textContent = low;
    button.type = 'button';
    button.dataset.low = low;
    button.title = button.ariaLabel = title;
    button.setAttribute('aria-pressed', chosen);
    button.append(count, bar('right', right, most), bar('wrong', wrong, most), name);
    button.onclick = () => setTriggerValue('chosen', chosen ? data.every : [low, high]);
    return button;
  });
  group.ariaLabel = data.label;
  group.replaceChildren(...buttons);
  buttons.find(({ dataset }) => dataset.low === active)?.focus({ preventScroll: true });
}
