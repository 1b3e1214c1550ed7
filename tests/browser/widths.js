// What is written in each cell, how wide that is, and how wide the cell.
(cells) =>
  cells.map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return {
      text: cell.textContent,
      figure: range.getBoundingClientRect().width,
      cell: cell.getBoundingClientRect().width,
    };
  });
