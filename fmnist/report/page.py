"""One model in one HTML file that needs nothing else: figures, confusion matrix, worst cells."""

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmnist.analysis import bootstrap, evaluation
from fmnist.analysis.evaluation import CalibrationBin, Evaluation
from fmnist.data.splits import CLASSES, Split
from fmnist.models import MODELS
from fmnist.weights.card import Card

WORST_CELLS, IMAGES_A_CELL = 10, 60
BINS = 15
EDGE = 300  # of the reliability diagram, in pixels

_STYLE = """
:root { color-scheme: light dark; --ink: #212529; --ground: #fff; --line: #dee2e6;
  --muted: #5c636a; --error: 232 89 12; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9ecef; --ground: #16181c;
  --line: #3a3f45; --muted: #a4abb3; } }
@media print { :root { --ink: #000; --ground: #fff; --line: #ccc; --muted: #444; }
  * { print-color-adjust: exact; } section { break-inside: avoid; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 2em 0 0.6em; }
h1 { margin-top: 0; }
a { color: inherit; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption, .note { color: var(--muted); text-align: left; font-size: 0.875rem; }
th, td { padding: 0.25rem 0.6rem; border: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
tbody th, dt { text-align: left; font-weight: 600; }
.matrix td { background: rgb(var(--error) / var(--strength, 0)); }
.matrix td.right { color: var(--muted); }
.matrix a { display: block; text-decoration-thickness: 1px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; }
dd { margin: 0; overflow-wrap: anywhere; }
svg { width: 100%; max-width: 26rem; height: auto; }
.cell { display: flex; flex-wrap: wrap; gap: 6px; padding: 0; list-style: none; }
.cell li { text-align: center; font-size: 0.75rem; color: var(--muted); }
.cell img { display: block; width: 56px; height: 56px; image-rendering: pixelated; }
"""


def report(card: Card, e: Evaluation, split: Split, split_name: str, source: str) -> str:
    """The report, as HTML, of a model's answers to a split."""
    matrix = evaluation.confusion(e)
    worst = worst_cells(matrix)
    low, high = bootstrap.accuracy(matrix)
    right = int(matrix.trace())
    images = "Fashion-MNIST" if source == "real" else "drawn garments, not of Fashion-MNIST"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(card.name)} on {split_name}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{escape(card.name)}</h1>
<p><strong>{right / len(split):.2%}</strong> of the {len(split):,} {split_name} images of {images} \
are named right, {len(split) - right:,} are named wrong. On as many other images of this kind it \
would be between {low:.2%} and {high:.2%}, 95 times in 100.</p>
</header>
<section>
<h2>The model</h2>
<dl>
{"".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(card))}
</dl>
</section>
<section>
<h2>Confusion matrix</h2>
{_matrix(matrix, worst)}
</section>
<section>
<h2>By class</h2>
{_by_class(matrix)}
</section>
<section>
<h2>Calibration</h2>
{_calibration(e, card.temperature)}
</section>
<h2>The worst cells</h2>
{"".join(_cell(e, split, card.temperature, *cell) for cell in worst)}
</body>
</html>
"""


def worst_cells(matrix: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The cells (true, predicted) with the most errors, at most `WORST_CELLS`, fullest first."""
    errors = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:WORST_CELLS]
    return [(int(i) // len(matrix), int(i) % len(matrix)) for i in order if errors.flat[i]]


def _facts(card: Card) -> Iterator[tuple[str, str]]:
    """What the card knows, each with its name."""
    if card.architecture:
        summary = MODELS[card.architecture].summary
        yield "Architecture", f"{card.title} ({card.architecture}). {summary}"
    else:
        yield "Architecture", card.title
    if card.parameters is not None:
        yield "Parameters", f"{card.parameters:,}"
    if card.reads:
        yield "Reads pixels as", card.reads
    if card.data:
        yield "Trained on", "Fashion-MNIST" if card.data == "real" else "drawn garments"
    if card.recipe:
        yield "Recipe", ", ".join(f"{name} {_plain(value)}" for name, value in card.recipe.items())
    if card.best_epoch:
        yield "Best epoch", str(card.best_epoch)
    if card.seconds:
        yield "Training time", f"{card.seconds:,.0f} s on {card.device}"
    if card.versions:
        yield "Made with", ", ".join(f"{name} {value}" for name, value in card.versions.items())
    yield "Temperature", f"{card.temperature:.3f}"
    yield "Size", f"{card.bytes:,} bytes"
    yield "SHA-256", card.sha256


def _plain(value: object) -> str:
    return (" and ".join(value) or "none") if isinstance(value, list) else str(value)


def _matrix(matrix: NDArray[np.int64], worst: Sequence[tuple[int, int]]) -> str:
    """The confusion matrix as a table; the cells shown below are links to their images."""
    most = max(int((matrix - np.diag(np.diag(matrix))).max()), 1)

    def cell(true: int, predicted: int) -> str:
        count = int(matrix[true, predicted])
        if true == predicted:
            return f'<td class="right">{count:,}</td>'
        if not count:
            return "<td></td>"
        link = f'<a href="#{_anchor(true, predicted)}">{count:,}</a>'
        text = link if (true, predicted) in worst else f"{count:,}"
        return f'<td style="--strength: {0.08 + 0.72 * count / most:.2f}">{text}</td>'

    heads = "".join(f'<th scope="col">{name}</th>' for name in CLASSES)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(cell(true, predicted) for predicted in range(len(CLASSES)))
        + "</tr>\n"
        for true, name in enumerate(CLASSES)
    )
    return (
        '<div class="wide"><table class="matrix">\n'
        "<caption>Down: the true class. Across: what the model said. Linked cells are below."
        f"</caption>\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n"
        "</table></div>"
    )


def _by_class(matrix: NDArray[np.int64]) -> str:
    """Precision, recall and F1 of each class with their intervals."""
    rows = []
    for name, row, sure in zip(
        CLASSES, evaluation.per_class(matrix), bootstrap.per_class(matrix), strict=True
    ):
        cells = "".join(
            f"<td>{value:.1%}</td><td>{low:.1%} to {high:.1%}</td>"
            for value, (low, high) in zip(row[:3], sure, strict=True)
        )
        rows.append(f'<tr><th scope="row">{name}</th>{cells}<td>{row.support:,}</td></tr>\n')
    heads = "".join(
        f'<th scope="col">{name}</th><th scope="col">95 %</th>'
        for name in ("Precision", "Recall", "F1")
    )
    return (
        '<div class="wide"><table>\n<caption>95 %: what 95 of 100 resamples of the images give '
        "(bootstrap).</caption>\n"
        f'<thead><tr><td></td>{heads}<th scope="col">Images</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table></div>"
    )


def _calibration(e: Evaluation, temperature: float) -> str:
    """The reliability diagram, and the expected calibration error without and with temperature."""
    before = evaluation.expected_calibration_error(e, BINS)
    after = evaluation.expected_calibration_error(e, BINS, temperature)
    bins = evaluation.calibration(e, BINS, temperature)
    return (
        f"<p>How sure the model is and how often it is right differ by {before:.2%} on average as "
        f"trained (expected calibration error), and by {after:.2%} at its temperature.</p>\n"
        f'<svg viewBox="-60 -20 {EDGE + 80} {EDGE + 66}" role="img" aria-label="Reliability '
        f'diagram">\n{_diagram(bins)}</svg>'
    )


def _diagram(bins: Sequence[CalibrationBin]) -> str:
    """Accuracy against confidence as dots, whose area is their share of the images."""
    images = sum(part.images for part in bins)
    text = 'fill="currentColor" font-size="12"'
    ticks = "".join(
        f'<text x="{EDGE * share}" y="{EDGE + 18}" text-anchor="middle" {text}>{share:.0%}</text>'
        f'<text x="-6" y="{EDGE * (1 - share) + 4}" text-anchor="end" {text}>{share:.0%}</text>\n'
        for share in (0.0, 0.5, 1.0)
    )
    dots = "".join(
        f'<circle cx="{EDGE * part.confidence:.1f}" cy="{EDGE * (1 - part.accuracy):.1f}" '
        f'r="{3 + 14 * (part.images / images) ** 0.5:.1f}" fill="rgb(var(--error) / 0.75)">'
        f"<title>{part.confidence:.1%} sure, {part.accuracy:.1%} right, {part.images:,} images"
        "</title></circle>\n"
        for part in bins
    )
    return (
        f'<rect width="{EDGE}" height="{EDGE}" fill="none" stroke="var(--line)"/>\n'
        f'<line y1="{EDGE}" x2="{EDGE}" y2="0" stroke="var(--muted)" stroke-dasharray="4 4"/>\n'
        f"{ticks}{dots}"
        f'<text x="{EDGE / 2}" y="{EDGE + 38}" text-anchor="middle" {text}>how sure</text>\n'
        f'<text transform="translate(-46 {EDGE / 2}) rotate(-90)" text-anchor="middle" {text}>'
        "how often right</text>\n"
    )


def _cell(e: Evaluation, split: Split, temperature: float, true: int, predicted: int) -> str:
    """The images of one cell, the most confident first, each over how sure the model was."""
    rows = evaluation.errors(e, true, predicted, temperature)
    shown = rows[:IMAGES_A_CELL]
    shares = evaluation.probabilities(e.logits[shown], temperature)[:, predicted]
    items = "".join(
        f'<li><img src="{_data_url(split.images[row])}" alt="Image {row}">{share:.0%}</li>\n'
        for row, share in zip(shown, shares, strict=True)
    )
    left_out = f" The first {IMAGES_A_CELL} of them." if len(shown) < len(rows) else ""
    return (
        f'<section id="{_anchor(true, predicted)}">\n'
        f"<h3>{CLASSES[true]} named {CLASSES[predicted]}: {len(rows):,}</h3>\n"
        f'<p class="note">Most confident first.{left_out}</p>\n'
        f'<ul class="cell">\n{items}</ul>\n</section>\n'
    )


def _anchor(true: int, predicted: int) -> str:
    return f"cell-{true}-{predicted}"


def _data_url(image: NDArray[np.uint8]) -> str:
    png = io.BytesIO()
    Image.fromarray(image).save(png, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
