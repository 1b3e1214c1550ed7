// What each component's script begins with. Markup holds no words: it names them, and they come
// with the data, in the language of whoever reads them.

export function say(root, words) {
  for (const element of root.querySelectorAll('[data-label]')) {
    element.ariaLabel = words[element.dataset.label];
  }
  for (const element of root.querySelectorAll('[data-text]')) {
    element.textContent = words[element.dataset.text];
  }
}

export function filled(message, values) {
  return message.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// A number with so many digits after its point, as a language writes it.
export function written(value, digits, language, style = 'decimal') {
  return value.toLocaleString(language, {
    style,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  });
}

// Whether a key is one of the browser's own shortcuts, such as Back.
export function isForBrowser({ ctrlKey, metaKey, altKey }) {
  return ctrlKey || metaKey || altKey;
}
