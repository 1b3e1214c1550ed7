// What has been done since the link last changed: nothing, a deed, or one more of the same keys.
let deed = false;
let walking = false;

function begin() {
  const { pushState, replaceState } = History.prototype;
  history.steps = true;
  // The first change of the link after a deed is a step; what follows belongs to it.
  history.pushState = history.replaceState = (state, title, url) => {
    const changes = url != null && new URL(url, document.baseURI).href !== location.href;
    const change = deed && changes ? pushState : replaceState;
    if (changes) deed = false;
    change.call(history, state, title, url);
  };
  addEventListener('pointerdown', act, true);
  addEventListener('keydown', act, true);
  addEventListener(
    'popstate',
    () => {
      deed = false;
    },
    true,
  );
}

function act({ type, key }) {
  // Who walks along a wall with the arrow keys comes back in one step.
  const walks = type === 'keydown' && key.startsWith('Arrow');
  deed = !(walks && walking);
  walking = walks;
}

export default function () {
  if (!history.steps) begin();
}
