// What is to be tapped and is lower than a finger is wide: fields, buttons, folds, links to pages.
(finger) => {
  // Cells of a matrix have the boxes of the Filter menu beside them, tags the cross of their box, and
  // a slider is taken anywhere along it.
  const parts = '[role=gridcell], [data-tag], [data-testid=stElementToolbar], [type=range]';
  const wanted = 'button, summary, input:not([type=file]), [data-testid=stPageLink-NavLink]';
  const within = 'label, [role=group], [data-testid=stNumberInputContainer], ';
  const field = `${within}[data-testid=stTextInputRootElement], .react-aria-ComboBox`;
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches(wanted) || element.closest(parts)) continue;
      const target = element.closest(field) ?? element;
      const { width, height } = target.getBoundingClientRect();
      const around = Number.parseFloat(getComputedStyle(element, '::after').height) || 0;
      if (width && height && Math.round(Math.max(height, around)) < finger) {
        found.push(`${element.ariaLabel ?? element.textContent}: ${width} x ${height}`);
      }
    }
  };
  look(document.querySelector('[data-testid=stMain]'));
  return found;
};
