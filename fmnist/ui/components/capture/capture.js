export default function ({ data, parentElement }) {
  const prepare = () => {
    const input = document.querySelector(`${data.uploader} input[type=file]`);
    if (!input || input.hasAttribute('capture')) return;
    input.accept = 'image/*';
    // Browsers without a camera of their own don't know the property.
    input.setAttribute('capture', 'environment');
  };
  // Streamlit fetches its uploader's code when a page first shows one, so the input may come
  // after this; and it may be replaced.
  parentElement.watch?.disconnect();
  parentElement.watch = new MutationObserver(prepare);
  parentElement.watch.observe(document.body, { childList: true, subtree: true });
  prepare();
  return () => parentElement.watch.disconnect();
}
