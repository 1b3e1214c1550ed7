// Whether another page than the one with this title stands, and its script has ended.
(before) =>
  document.querySelector('[data-test-script-state=notRunning]') &&
  !document.querySelector('[data-testid=stSkeleton]') &&
  (document.querySelector('h1')?.textContent ?? before) !== before;
