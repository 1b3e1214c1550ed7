// Whether the page's ground is that of a colour scheme.
(scheme) => {
  const ground = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
  const [red] = ground.match(/\d+/g).map(Number);
  return red < 128 === (scheme === 'dark');
};
