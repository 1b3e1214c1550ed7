import csv
import re

import numpy as np

from fmnist.data.splits import CLASSES
from fmnist.pictures import intake
from fmnist.pictures.reading import PictureError
from fmnist.ui import answers
from fmnist.ui.state.models import Answer
from fmnist.weights.card import NONE_OF_TEN

PROBABILITIES = np.full((2, 10), 0.01, np.float32)
PROBABILITIES[0, 7], PROBABILITIES[1, 3] = 0.91, 0.905


def test_bars_show_each_models_probabilities_and_mark_its_largest() -> None:
    table = answers.bars(PROBABILITIES, ["one", "<two>"])
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table, re.DOTALL)
    assert [name for name, _ in rows] == list(CLASSES)
    assert [re.findall(r"<span>(.*?)</span>", cells) for _, cells in rows] == [
        [f"{probability:.1%}" for probability in column] for column in PROBABILITIES.T
    ]
    best = [re.findall('class="best"', cells) for _, cells in rows]
    assert [len(found) for found in best] == [0, 0, 0, 1, 0, 0, 0, 1, 0, 0]
    assert "&lt;two&gt;" in table


def test_bars_of_one_model_need_no_name_over_them() -> None:
    assert "<thead>" not in answers.bars(PROBABILITIES[:1], ["one"])


def test_the_csv_has_a_line_a_picture_and_the_reason_for_each_that_is_none() -> None:
    image = np.zeros((280, 280), np.uint8)
    image[60:220, 100:180] = 255
    picture = intake.from_any(image, "shop")
    taken = [('a "dress", red.png', picture), ("bad.png", PictureError("Not a picture, sorry."))]
    said = Answer(PROBABILITIES, (NONE_OF_TEN, ""))
    good, bad = csv.DictReader(answers.as_csv(taken, said).splitlines())
    assert good["file"] == 'a "dress", red.png'
    assert (good["kind"], good["answer"]) == ("shop", CLASSES[7])
    np.testing.assert_allclose([float(good[name]) for name in CLASSES], PROBABILITIES[0], atol=1e-6)
    assert good["remarks"] == " ".join([*picture.warnings, NONE_OF_TEN])
    assert bad["remarks"] == "Not a picture, sorry."
    assert not any(bad[name] for name in ("kind", "answer", *CLASSES))


def test_a_row_of_the_list_says_all_of_a_picture_or_why_there_is_no_answer() -> None:
    image = np.zeros((280, 280), np.uint8)
    image[60:220, 100:180] = 255
    good = answers.row("bag.png", intake.from_any(image, "shop"), PROBABILITIES[0], NONE_OF_TEN)
    assert (good["name"], good["answer"], good["confidence"]) == ("bag.png", CLASSES[7], "91.0%")
    assert NONE_OF_TEN in good["remark"]
    assert good["picture"].startswith("data:image/png")
    bad = answers.row("bad.png", PictureError("Not a picture."), answers.NOTHING, "")
    assert bad["error"] == "Not a picture."
    assert not any(bad[field] for field in ("picture", "seen", "answer", "confidence", "remark"))


def test_bars_of_nothing_name_the_classes_and_no_figures() -> None:
    table = answers.bars(answers.NOTHING[None], ["one"])
    assert all(name in table for name in CLASSES)
    assert "%" not in table.split("<table>")[1]
    assert "best" not in table.split("<table>")[1]
