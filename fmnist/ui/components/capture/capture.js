export default function ({ data }) {
  const prepare = () => {
    const input = document.querySelector(`${data.uploader} input[type=file]`);
    if (!input || input.hasAttribute('capture')) return;
    input.accept = 'image/*';
    // Browsers without a camera of their own don't know the property.
    input.setAttribute('capture', 'environment');
  };
  // Streamlit fetches its uploader's code when a page first shows one, so the input may come
  // after this; and it may be replaced.
  const watch = new MutationObserver(prepare);
  watch.observe(document.body, { childList: true, subtree: true });
  prepare();
  return () => watch.disconnect();
}
