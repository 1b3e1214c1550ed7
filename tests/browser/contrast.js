// What is written in each cell, how large, and its contrast with the ground (WCAG 2).
(cells) => {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const page = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
  return cells.map((cell) => {
    const { color, backgroundColor, fontSize } = getComputedStyle(cell);
    const ground = channels(backgroundColor)[3] === 0 ? page : backgroundColor;
    const [dark, light] = [luminance(color), luminance(ground)].sort((a, b) => a - b);
    return {
      text: cell.textContent,
      size: Number.parseFloat(fontSize),
      contrast: (light + 0.05) / (dark + 0.05),
    };
  });
};
