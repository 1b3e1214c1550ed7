// When the maps of a layer are first painted anew after the pen is lifted.
addEventListener(
  'pointerup',
  () => {
    window.lifted = performance.now();
    window.painted = null;
  },
  true,
);
const { drawImage } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.drawImage = function paint(...given) {
  if (this.canvas.className === 'maps' && window.lifted && !window.painted) {
    window.painted = performance.now();
  }
  drawImage.apply(this, given);
};
