// Every cell and head of a matrix as (true, predicted, count), with where it is in the window.
(plot) => {
  const { x, y, customdata } = plot._fullData.find((trace) => trace.customdata);
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  return customdata.map((cell, i) => [
    cell,
    { x: box.x + xaxis._offset + xaxis.l2p(x[i]), y: box.y + yaxis._offset + yaxis.l2p(y[i]) },
  ]);
};
