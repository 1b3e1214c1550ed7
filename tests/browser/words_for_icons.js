// Of signs of the font of icons, those that it lacks: they stand there as their names.
(icons) =>
  icons.filter((icon) => icon.scrollWidth > icon.offsetWidth).map((icon) => icon.textContent);
