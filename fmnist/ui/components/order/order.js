// The name that is dragged.
let dragged = null;

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector('ol');
  const names = new Map(data.names);
  const now = () => [...list.children].map((name) => Number(name.dataset.number));

  list.ariaLabel = data.label;
  // An answer that comes while a name is dragged is about where the names were.
  if (dragged && list.contains(dragged)) return;
  list.replaceChildren(
    ...Array.from(names, ([number, text]) => {
      const name = document.createElement('li');
      name.textContent = text;
      name.dataset.number = number;
      return name;
    }),
  );
  // The list holds the pointer, as a name that changes its place would lose it.
  list.onpointerdown = (event) => {
    if (dragged || event.button) return;
    dragged = event.target.closest('li');
    if (!dragged) return;
    dragged.classList.add('dragged');
    list.setPointerCapture(event.pointerId);
  };
  list.onpointermove = (event) => {
    const under = list.getRootNode().elementFromPoint(event.clientX, event.clientY);
    if (!dragged || under?.parentElement !== list || under === dragged) return;
    const { left, width } = under.getBoundingClientRect();
    if (event.clientX < left + width / 2) under.before(dragged);
    else under.after(dragged);
  };
  list.onlostpointercapture = () => {
    dragged?.classList.remove('dragged');
    dragged = null;
    if (`${now()}` !== `${[...names.keys()]}`) setTriggerValue('order', now());
  };
}
