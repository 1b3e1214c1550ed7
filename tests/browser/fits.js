// Whether nothing on the page is wider than the screen.
() =>
  [document.documentElement, document.querySelector('[data-testid=stMain]')].every(
    (element) => element.scrollWidth <= innerWidth,
  );
