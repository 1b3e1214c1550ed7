// Whether the page says something else than before, and its script has ended.
(before) =>
  document.querySelector('[data-test-script-state=notRunning]') &&
  document.querySelector('[data-testid=stMain]').textContent !== before;
