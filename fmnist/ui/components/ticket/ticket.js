const DAYS = 30;

export default function ({ data }) {
  if (data.ticket === null) return;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  const age = data.ticket ? DAYS * 86400 : 0;
  // biome-ignore lint/suspicious/noDocumentCookie: its successor is not there without HTTPS
  document.cookie = `${data.name}=${data.ticket}; Path=/; Max-Age=${age}; SameSite=Strict${secure}`;
}
