export default function ({ data }) {
  const input = document.querySelector(`${data.uploader} input[type=file]`);
  if (!input) return;
  input.accept = 'image/*';
  input.capture = 'environment';
}
