// Whether what one model says ever stands under the name of another, from now on.
window.staleSeen = '';
new MutationObserver(() => {
  const model = (selector, word) => {
    const said = [...document.querySelectorAll(selector)].map((element) => element.textContent);
    return said.map((text) => text.match(word)?.[1]).find((name) => name && name !== 'Every model');
  };
  const named = model('.st-key-matrix-view p', /^(.+) names /);
  const says = model('[data-testid=stCaptionContainer]', /^(.+) says$/);
  if (named && says && named !== says) window.staleSeen = `${says} under ${named}`;
}).observe(document, { subtree: true, childList: true, characterData: true });
