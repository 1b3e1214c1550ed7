export default function ({ data }) {
  const input = document.querySelector(`${data.uploader} input[type=file]`);
  if (!input) return;
  input.accept = 'image/*';
  // Browsers without a camera of their own don't know the property.
  input.setAttribute('capture', 'environment');
}
