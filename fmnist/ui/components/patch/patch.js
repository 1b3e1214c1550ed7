// Where in the patch it is held while it is dragged, down and across in pixels of the screen, and by
// which pointer.
let held = null;

export default function ({ data, parentElement, setTriggerValue }) {
  const { side } = data;
  const frame = parentElement.querySelector('.frame');
  const patch = parentElement.querySelector('.patch');
  // An answer that comes while it is dragged is about where it was.
  if (!held) patch.corner = data.corner;

  function place() {
    const [row, column] = patch.corner;
    patch.style.top = `${(100 * row) / side}%`;
    patch.style.left = `${(100 * column) / side}%`;
  }
  function cell(pixels, edge) {
    return Math.max(0, Math.min(side - 1, Math.round((pixels * side) / edge)));
  }

  frame.ariaLabel = data.label;
  parentElement.querySelector('img').src = data.picture;
  patch.style.width = `${(100 * data.edge) / side}%`;
  if (!held) place();

  patch.onpointerdown = (event) => {
    if (held || event.button) return;
    const box = patch.getBoundingClientRect();
    const { clientX, clientY, pointerId } = event;
    held = { down: clientY - box.top, across: clientX - box.left, pointer: pointerId };
    patch.setPointerCapture(pointerId);
  };
  patch.onpointermove = (event) => {
    if (event.pointerId !== held?.pointer) return;
    const box = frame.getBoundingClientRect();
    const down = cell(event.clientY - held.down - box.top, box.height);
    const across = cell(event.clientX - held.across - box.left, box.width);
    if (String(patch.corner) === String([down, across])) return;
    patch.corner = [down, across];
    place();
    setTriggerValue('corner', patch.corner);
  };
  patch.onlostpointercapture = (event) => {
    if (event.pointerId === held?.pointer) held = null;
  };
}
