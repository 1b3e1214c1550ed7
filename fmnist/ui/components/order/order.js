// The name that is dragged, and the pointer that drags it.
let held = null;

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector('ol');
  const numbers = data.names.map(([number]) => number);
  const now = () => [...list.children].map((name) => Number(name.dataset.number));
  const alike = (one, other) => `${[...one].sort()}` === `${[...other].sort()}`;

  list.ariaLabel = data.label;
  function draw() {
    list.replaceChildren(
      ...data.names.map(([number, text]) => {
        const name = document.createElement('li');
        name.textContent = text;
        name.dataset.number = number;
        return name;
      }),
    );
  }
  // An answer that comes while a name is dragged is about where the names were.
  if (!list.contains(held?.name)) draw();
  // The list holds the pointer, as a name that changes its place would lose it.
  list.onpointerdown = (event) => {
    const name = event.target.closest('li');
    if (held || event.button || !name) return;
    held = { name, pointer: event.pointerId };
    name.classList.add('dragged');
    list.setPointerCapture(event.pointerId);
  };
  list.onpointermove = (event) => {
    if (event.pointerId !== held?.pointer) return;
    const under = list.getRootNode().elementFromPoint(event.clientX, event.clientY);
    if (under?.parentElement !== list || under === held.name) return;
    const { left, width } = under.getBoundingClientRect();
    if (event.clientX < left + width / 2) under.before(held.name);
    else under.after(held.name);
  };
  list.onlostpointercapture = (event) => {
    if (event.pointerId !== held?.pointer) return;
    held.name.classList.remove('dragged');
    held = null;
    if (!alike(now(), numbers))
      draw(); // others are there by now than those in the row
    else if (`${now()}` !== `${numbers}`) setTriggerValue('order', now());
  };
}
