import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image
from shipped import THREE, every_shipped
from strangers import graph, perceptron_graph, pickled, stranger

from fmnist import PROJECT
from fmnist.__main__ import main
from fmnist.data import garments, splits
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES
from fmnist.models import MODELS
from fmnist.weights import shelf


def test_models_lists_every_architecture_and_weights_file(capsys: pytest.CaptureFixture) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} >= MODELS.keys() | {c.name for c in shelf.cards()}
    keys = {
        "name",
        "title",
        "family",
        "parameters",
        "bytes",
        "validation_accuracy",
        "test_accuracy",
    }
    assert all(row.keys() == keys for row in rows)
    assert all(row["family"] in ("fcnn", "cnn", "rnn") for row in rows)
    assert main(["models"]) == 0
    assert "Recurrent" in capsys.readouterr().out


def test_data_names_each_missing_file_and_fails(capsys: pytest.CaptureFixture) -> None:
    assert main(["data"]) == 1
    printed = capsys.readouterr()
    assert printed.out.count("is missing") == 4
    assert "drawn garments" in printed.err


@pytest.mark.slow
def test_train_shows_progress_and_keeps_the_result_under_its_name(
    capsys: pytest.CaptureFixture,
) -> None:
    arguments = ["train", "fcnn", "--data", "drawn", "--epochs", "2", "--limit", "400"]
    assert main([*arguments, "--batch-size", "50", "--lr", "0.002", "--seed", "5",
                 "--device", "cpu", "--name", "mine"]) == 0  # fmt: skip
    printed = capsys.readouterr()
    assert "epoch   2: loss" in printed.out + printed.err
    for words in ("loss", "accuracy", "images/s", "left"):
        assert words in printed.err
    recipe = shelf.load("mine")[1].recipe
    asked = {"epochs": 2, "batch_size": 50, "lr": 0.002, "seed": 5}
    assert {name: recipe[name] for name in asked} == asked

    assert main(["evaluate", "mine", "--data", "drawn", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["accuracy"] == shelf.load("mine")[1].test.accuracy
    assert (result["weights"], result["split"], result["n"]) == ("mine", "test", 1000)
    assert sum(map(sum, result["confusion"])) == 1000

    assert main(["evaluate", "mine", "--data", "drawn"]) == 0
    assert "precision" in capsys.readouterr().out

    assert main(["runs", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row.items() >= {"state": "finished", "model": "fcnn", "epoch": 2, "epochs": 2}.items()
    assert main(["runs"]) == 0
    assert row["id"] in capsys.readouterr().out
    assert main(["runs", "watch", row["id"]]) == 0
    for action in ("stop", "resume"):
        assert main(["runs", action, row["id"]]) == 1
        assert "finished" in capsys.readouterr().err

    whole = ["train", "fcnn", "--data", "drawn", "--limit", "400", "--repeats", "mine"]
    assert main([*whole, "--device", "cpu", "--name", "whole"]) == 0
    assert shelf.load("whole").card.recipe == recipe
    assert main(["evaluate", "whole", "--data", "drawn", "--split", "validation"]) == 1
    assert "whole has learned the validation images" in capsys.readouterr().err


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three drawn garments among three broken files."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for label in (1, 7, 8):
        drawn = drawing.render(garments.garment(label, rng), 280)
        Image.fromarray(drawn).save(folder / f"{label}.png")
    (folder / "0.png").write_text("I am a text")
    (folder / "2.jpg").write_bytes(b"")
    content = (folder / "8.png").read_bytes()
    (folder / "9.png").write_bytes(content[: len(content) // 2])
    return folder


def test_classify_answers_for_all_good_files_in_order_and_names_the_broken(
    pictures: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["classify", str(pictures), "--json"]) == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(answer["path"]).name for answer in answers] == [
        "0.png", "1.png", "2.jpg", "7.png", "8.png", "9.png",
    ]  # fmt: skip
    broken = [answer for answer in answers if "error" in answer]
    assert [answer.keys() for answer in broken] == [{"path", "error"}] * 3
    for answer in answers:
        if "error" not in answer:
            assert answer["class"] == CLASSES[answer["label"]]
            assert tuple(answer["probabilities"]) == CLASSES
            assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
            assert answer["probability"] == max(answer["probabilities"].values())


def test_classify_speaks_in_words_and_succeeds_where_nothing_is_broken(
    pictures: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["classify", str(pictures / "1.png"), str(pictures / "8.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1.png: " in lines[0]
    assert main(["classify", str(pictures / "nothing.png")]) == 1
    assert "can't be read" in capsys.readouterr().out


def test_classify_goes_on_after_a_picture_whose_name_is_in_no_encoding(
    pictures: Path, capsys: pytest.CaptureFixture
) -> None:
    (pictures / "1.png").rename(pictures / "Hose\udcfc.png")
    assert main(["classify", str(pictures), "--weights", "softmax"]) == 1  # some are broken
    printed = capsys.readouterr().out
    assert "Hose\\udcfc.png: " in printed
    assert "9.png: " in printed


def test_control_c_ends_a_verb_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(splits, "load", interrupted)
    assert main(["evaluate", "softmax", "--data", "drawn"]) == 130


def test_report_says_at_once_where_it_can_not_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.delattr(splits, "load")  # nothing is measured
    (tmp_path / "old.html").write_text("Mine")
    for out, said in (
        ("no/such/new.html", f"There is no folder {tmp_path}/no/such in which new.html"),
        ("old.html/new.html", f"There is no folder {tmp_path}/old.html in which new.html"),
        ("old.html", f"{tmp_path}/old.html is there already. Delete it"),
        ("", f"{tmp_path} is a folder. Name a file in it"),
    ):
        arguments = ["report", "softmax", "--data", "drawn", "--out", str(tmp_path / out)]
        assert main(arguments) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("theirs.pt", pickled(stranger("gru").state_dict())),
        ("theirs.onnx", perceptron_graph(stranger("fcnn").state_dict())),
    ],
)
def test_a_strangers_file_is_measured_reported_on_and_asked(
    filename: str, content: bytes, tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture
) -> None:
    path, out = tmp_path / filename, tmp_path / "report.html"
    path.write_bytes(content)
    for arguments in (
        ["evaluate", str(path), "--json"],
        ["classify", str(pictures / "1.png"), "--weights", str(path), "--json"],
        ["report", str(path), "--out", str(out)],
    ):
        assert main(arguments) == 0
        printed = capsys.readouterr()
        assert "theirs reads pixels as 0..1, which is assumed" in printed.err
        assert "reads pixels" not in printed.out
    assert "Reads pixels as" in out.read_text()


def test_a_picture_that_a_graph_fails_on_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    # It looks a dim picture up in a table that has no place for it.
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["light"], keepdims=1),
        helper.make_node("Greater", ["light", "none"], ["some"]),
        helper.make_node("Less", ["light", "little"], ["dim"]),
        helper.make_node("And", ["some", "dim"], ["both"]),
        helper.make_node("Cast", ["both"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "place"], ["found"]),
        helper.make_node("MatMul", ["x", "w"], ["logits"]),
        helper.make_node("Add", ["logits", "found"], ["y"]),
    ]
    constants = {
        "axis": np.array([1]),
        "none": np.array(0, np.float32),
        "little": np.array(80, np.float32),
        "table": np.zeros(1, np.float32),
        "w": np.ones((784, 10), np.float32),
    }
    path = tmp_path / "frail.onnx"
    path.write_bytes(graph(nodes, constants).SerializeToString())
    names = []
    for name, edge in (("a", 12), ("b", 2), ("c", 16)):
        names.append(str(tmp_path / f"{name}.png"))
        Image.fromarray(np.pad(np.full((edge, edge), 200, np.uint8), 14 - edge // 2)).save(
            names[-1]
        )
    assert main(["classify", "--weights", str(path), "--kind", "dataset", "--json", *names]) == 1
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["path"] for answer in answers] == names
    assert ["error" in answer for answer in answers] == [False, True, False]
    assert answers[1]["error"].startswith("The model fails on a batch of images")


def test_a_kept_graph_is_listed_without_the_parameters_that_it_hides(
    capsys: pytest.CaptureFixture,
) -> None:
    content = perceptron_graph(stranger("fcnn").state_dict())
    shelf.keep(shelf.open(content, "theirs.onnx"), "theirs")
    assert main(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["theirs"].items() >= {"family": "onnx", "parameters": None}.items()
    assert main(["models"]) == 0
    assert re.search(r"^theirs +ONNX +- ", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["train"],
        ["train", "vgg"],
        ["train", "cnn", "--epochs", "many"],
        ["evaluate"],
        ["evaluate", "cnn", "--split", "holdout"],
        ["classify"],
        ["runs", "stop"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_the_module_runs_as_a_program_and_imports_no_streamlit() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fmnist", "models"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "streamlit" not in done.stderr


def test_classify_with_unknown_weights_is_wrong_usage(capsys: pytest.CaptureFixture) -> None:
    assert main(["classify", "a.png", "--weights", "nothing"]) == 2
    assert "There are no weights 'nothing'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "nothing.pt"],
        ["train", "cnn", "--epochs", "0"],
        ["evaluate", "cnn", "--data", "real"],
        ["runs", "watch", "nothing"],
    ],
    ids=" ".join,
)
def test_what_can_not_be_done_is_said_in_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith("fmnist: ")


def test_join_keeps_an_ensemble_that_is_then_asked_by_its_name(
    pictures: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["join", "fcnn-small", "lenet-5", "--name", "both"]) == 0
    assert "both" in capsys.readouterr().out
    assert main(["classify", str(pictures), "--weights", "both", "--json"]) == 1  # one is broken
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(line.get("class") in CLASSES for line in said)
    assert main(["join", "both", "lenet-5", "--name", "more"]) == 1
    assert "both is no single network" in capsys.readouterr().err


@pytest.mark.real_data
@every_shipped(quick=THREE)
def test_evaluate_reproduces_a_shipped_card_to_the_last_image(
    name: str, capsys: pytest.CaptureFixture
) -> None:
    card = shelf.load(name).card
    assert main(["evaluate", name, "--data", "real", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["confusion"] == card.test.confusion
    assert result["accuracy"] == card.test.accuracy
    assert result["loss"] == pytest.approx(card.test.loss, rel=1e-4)


def test_whoever_reads_a_few_lines_only_leaves_no_complaint_behind() -> None:
    done = subprocess.run(
        f"set -o pipefail; {sys.executable} -m fmnist models --json | head -n 1",
        shell=True, executable="bash", cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert (done.stdout, done.stderr) == ("[\n", "")
