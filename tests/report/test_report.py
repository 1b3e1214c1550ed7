import base64
import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist.__main__ import main
from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import CLASSES, Split
from fmnist.machine import devices
from fmnist.models import inference
from fmnist.report import page
from fmnist.report.page import IMAGES_A_CELL, WORST_CELLS, report
from fmnist.weights import ensembles, shelf
from fmnist.weights.card import Card

VOID = {"meta", "img", "br", "hr", "link"}


class Reader(HTMLParser):
    """Fails on a tag that isn't closed; keeps links, images, the text of cells and of heads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.text = " ".join(self.text.split())
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, text: str) -> None:
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += text
        if "style" not in self.open:
            self.text += text

    def values(self, *names: str) -> list[str]:
        return [value for _, name, value in self.attributes if name in names]


@pytest.fixture(scope="module")
def measured() -> tuple[Card, Evaluation, Split]:
    """The fcnn on drawn garments, of which it knows little."""
    model, card = shelf.load("fcnn")
    split = splits.load("test", "drawn", 400)
    logits = inference.infer(model, split.images, devices.choose("cpu"))
    return card, Evaluation(card.name, logits, split.labels), split


@pytest.fixture(scope="module")
def reader(measured: tuple[Card, Evaluation, Split]) -> Reader:
    return Reader(report(*measured, "test", "drawn"))


def test_a_report_loads_nothing_from_anywhere(reader: Reader) -> None:
    assert not {"script", "link", "iframe"} & {tag for tag, _, _ in reader.attributes}
    for value in reader.values("src", "href", "srcset", "action"):
        assert value.startswith(("data:image/png;base64,", "#"))
    assert "url(" not in Path(page.__file__).with_name("report.css").read_text()


def test_its_matrix_counts_as_the_evaluation_does(
    reader: Reader, measured: tuple[Card, Evaluation, Split]
) -> None:
    head, *rows = reader.rows[:11]
    assert tuple(head[1:]) == CLASSES
    matrix = [[int(cell.replace(",", "") or 0) for cell in row[1:]] for row in rows]
    assert matrix == evaluation.confusion(measured[1]).tolist()


def test_its_figures_by_class_are_those_of_the_evaluation(
    reader: Reader, measured: tuple[Card, Evaluation, Split]
) -> None:
    figures = evaluation.per_class(evaluation.confusion(measured[1]))
    for name, row, told in zip(CLASSES, figures, reader.rows[12:22], strict=True):
        assert told[0] == name
        assert told[1::2] == [f"{value:.1%}" for value in row[:3]] + [str(row.support)]


def test_its_worst_cells_show_their_images_most_confident_first(
    reader: Reader, measured: tuple[Card, Evaluation, Split]
) -> None:
    card, answers, split = measured
    matrix = evaluation.confusion(answers)
    worst = page.worst_cells(matrix)
    counts = [int(matrix[cell]) for cell in worst]
    off_diagonal = sorted((matrix - np.diag(matrix.diagonal())).ravel().tolist(), reverse=True)
    assert counts == off_diagonal[:WORST_CELLS]
    shown = [
        np.array(Image.open(io.BytesIO(base64.b64decode(value.split(",")[1]))))
        for value in reader.values("src")
    ]
    rows = [evaluation.errors(answers, *cell, card.temperature)[:IMAGES_A_CELL] for cell in worst]
    assert (np.stack(shown) == split.images[np.concatenate(rows)]).all()
    for (true, said), count in zip(worst, counts, strict=True):
        assert f"{CLASSES[true]} named {CLASSES[said]}: {count}" in reader.text


def test_every_link_in_it_has_its_place(reader: Reader) -> None:
    places = reader.values("id")
    links = reader.values("href")
    assert len(links) == len(places) == WORST_CELLS
    assert {link.lstrip("#") for link in links} == set(places)


def test_it_tells_the_card_and_says_what_the_images_are(
    reader: Reader, measured: tuple[Card, Evaluation, Split]
) -> None:
    card = measured[0]
    for fact in (card.sha256, f"{card.parameters:,}", f"lr {card.recipe['lr']}"):
        assert fact in reader.text
    assert "400 test images of drawn garments, not of Fashion-MNIST" in reader.text


def test_a_strangers_name_is_no_markup_and_a_bare_card_leaves_no_gap(
    measured: tuple[Card, Evaluation, Split],
) -> None:
    _, answers, split = measured
    bare = Card(name="<script>alert(1)</script>", architecture="fcnn", parameters=1)
    told = Reader(report(bare, answers, split, "test", "drawn"))
    assert "<script>alert(1)</script>" in told.text
    assert "None" not in told.text


def test_a_model_without_an_error_has_a_report(measured: tuple[Card, Evaluation, Split]) -> None:
    card, _, split = measured
    right = Evaluation("right", 9 * np.eye(10, dtype=np.float32)[split.labels], split.labels)
    told = Reader(report(replace(card, temperature=1.0), right, split, "test", "drawn"))
    assert "100.00%" in told.text
    assert told.values("src") == []


@pytest.mark.usefixtures("small")
def test_the_command_writes_a_report_and_never_over_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "fcnn", "--data", "drawn"]) == 0
    assert capsys.readouterr().out.strip() == "fcnn-report.html"
    written = (tmp_path / "fcnn-report.html").read_bytes()
    assert "100 test images" in Reader(written.decode()).text
    assert main(["report", "fcnn", "--data", "drawn"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "fcnn-report.html").read_bytes() == written
    arguments = ["--data", "drawn", "--split", "validation", "--out", "other.html"]
    assert main(["report", "fcnn", *arguments]) == 0
    assert "100 validation images" in Reader((tmp_path / "other.html").read_text()).text
    assert main(["report", "fcnn", "--data", "drawn", "--out", "nowhere/a.html"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_the_report_of_an_ensemble_names_its_members(
    measured: tuple[Card, Evaluation, Split],
) -> None:
    _, e, split = measured
    together = ensembles.joined([shelf.load("fcnn-small"), shelf.load("lenet-5")], "together")
    text = Reader(report(together.card, e, split, "test", "drawn")).text
    assert "ArchitectureEnsemble of 2 models Membersfcnn-small, lenet-5 " in text
