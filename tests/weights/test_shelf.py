import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from shipped import put_beside
from strangers import pickled

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Certainty
from fmnist.models import MODELS
from fmnist.weights import shelf
from fmnist.weights.card import HELP, NONE_OF_TEN, UNFAMILIAR, UNSURE, Card, Figures, WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers.formats import PICKLES

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_weights_come_back_as_they_were_saved(name: str) -> None:
    model = MODELS[name].seeded(3)
    card = shelf.save(Weights(model, Card("mine", name, parameters=0)), shelf.own_folder())
    loaded, read = shelf.load("mine")
    assert read == card
    assert loaded.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(t, model.state_dict()[k]) for k, t in loaded.state_dict().items())
    content = (shelf.own_folder() / "mine.safetensors").read_bytes()
    assert card.sha256 == hashlib.sha256(content).hexdigest()
    assert card.bytes == len(content)


def test_a_card_that_was_replaced_is_read_anew_and_an_unchanged_one_is_not_read_again() -> None:
    weights = Weights(MODELS["fcnn-small"].seeded(3), Card("mine", "fcnn-small", parameters=0))
    shelf.save(weights, shelf.own_folder())
    (first,) = (card for card in shelf.cards() if card.name == "mine")
    assert any(card is first for card in shelf.cards())
    shelf.save(weights._replace(card=dataclasses.replace(first, best_epoch=9)), shelf.own_folder())
    (second,) = (card for card in shelf.cards() if card.name == "mine")
    assert (first.best_epoch, second.best_epoch) == (None, 9)


@every_model
@pytest.mark.parametrize("suffix", PICKLES)
def test_a_plain_state_dict_is_recognised_by_its_tensors(
    name: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"from-a-notebook{suffix}"
    path.write_bytes(pickled(MODELS[name].seeded(0).state_dict()))
    _, card = shelf.load(path)
    assert (card.architecture, card.name) == (name, "from-a-notebook")
    assert card.test is None


def test_weights_of_another_architecture_are_refused_with_the_difference(tmp_path: Path) -> None:
    tensors = MODELS["fcnn"].build().state_dict()
    tensors["head.weight"] = torch.zeros(12, 256)
    with pytest.raises(WeightsError, match=r"closest is fcnn, whose head.weight is \(10, 256\)"):
        shelf.open(safetensors.torch.save(tensors), "other.safetensors")


def test_values_that_are_not_finite_are_refused() -> None:
    tensors = MODELS["fcnn"].build().state_dict()
    tensors["head.bias"][3] = float("nan")
    with pytest.raises(WeightsError, match=r"head.bias holds values that are not finite"):
        shelf.open(safetensors.torch.save(tensors), "broken.safetensors")


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "empty.safetensors"),
        (b"", "empty.pt"),
        (b"hello, I am a text", "text.safetensors"),
        (b"hello, I am a text", "text.pt"),
        (safetensors.torch.save({"a": torch.ones(100)})[:-40], "short.safetensors"),
        (pickled({"a": torch.ones(100)})[:-200], "short.pth"),
        (pickled([torch.ones(3)]), "list.pt"),
        (pickled({}), "nothing.pt"),
        (pickled({"epoch": 3}), "numbers.ckpt"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_state_dict_is_refused_in_a_sentence(content: bytes, filename: str) -> None:
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, filename)
    assert str(caught.value).startswith(filename)
    assert str(caught.value).endswith(".")


def test_a_file_that_its_card_does_not_describe_is_refused() -> None:
    folder = shelf.own_folder()
    shelf.save(Weights(MODELS["fcnn"].seeded(0), Card("one", "fcnn", 0)), folder)
    shelf.save(Weights(MODELS["fcnn"].seeded(1), Card("two", "fcnn", 0)), folder)
    (folder / "two.safetensors").rename(folder / "one.safetensors")
    with pytest.raises(WeightsError, match="SHA-256"):
        shelf.load("one")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "mine"}'])
def test_weights_with_a_damaged_card_are_refused_and_hide_no_others(text: str) -> None:
    folder = shelf.own_folder()
    for name in ("mine", "other"):
        shelf.save(Weights(MODELS["fcnn"].seeded(0), Card(name, "fcnn", 0)), folder)
    (folder / "mine.json").write_text(text)
    assert {"mine", "other"} <= {card.name for card in shelf.cards()}
    shelf.load("other")
    with pytest.raises(WeightsError, match="SHA-256"):
        shelf.load("mine")


def test_unknown_weights_are_refused_with_the_known_names() -> None:
    shelf.save(Weights(MODELS["gru"].seeded(0), Card("mine", "gru", 0)), shelf.own_folder())
    with pytest.raises(WeightsError, match="mine"):
        shelf.load("yours")


def test_a_card_of_an_architecture_that_is_gone_is_refused_and_hides_no_others() -> None:
    folder = shelf.own_folder()
    shelf.save(Weights(MODELS["fcnn"].seeded(0), Card("mine", "perceptron", 0)), folder)
    assert "mine" in {row["name"] for row in shelf.listing()}
    with pytest.raises(WeightsError, match="mine"):
        shelf.load("mine")
    shelf.load("cnn")


def test_figures_on_drawn_garments_do_not_stand_beside_those_on_real_ones() -> None:
    figures = Figures(n=100, accuracy=0.99, loss=0.1, confusion=[[0] * 10] * 10)
    drawn = Card("mine", "fcnn", 0, data="drawn", test=figures)
    shelf.save(Weights(MODELS["fcnn"].seeded(0), drawn), shelf.own_folder())
    assert shelf.cards()[-1].name == "mine"
    real = Card("better", "fcnn", 0, data="real", test=figures)
    shelf.save(Weights(MODELS["fcnn"].seeded(0), real), shelf.own_folder())
    assert shelf.cards()[0].name == "better"


@pytest.mark.parametrize("words", ["my model (1)", "_x_", "", "ü", "x" * 70, "fine-1.2_b"])
def test_any_words_become_a_name_that_weights_can_have(words: str) -> None:
    shelf.check_name(shelf.as_name(words))
    assert shelf.as_name("my model (1)") == "my-model-1"
    assert shelf.as_name("fine-1.2_b") == "fine-1.2_b"


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a b", "x" * 65])
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(WeightsError, match="can't name"):
        shelf.save(Weights(MODELS["fcnn"].build(), Card(name, "fcnn", 0)), shelf.own_folder())


def test_a_failed_save_leaves_the_old_file_and_no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shelf.own_folder()
    card = shelf.save(Weights(MODELS["fcnn"].seeded(0), Card("mine", "fcnn", 0)), folder)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        shelf.save(Weights(MODELS["fcnn"].seeded(1), Card("mine", "fcnn", 0)), folder)
    monkeypatch.undo()
    kept = sorted(path.name for path in folder.iterdir())
    assert kept == ["mine.json", "mine.safetensors"]
    content = (folder / "mine.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == card.sha256


def test_the_listing_has_every_weights_file_and_every_architecture() -> None:
    shelf.save(Weights(MODELS["lstm"].seeded(0), Card("mine", "lstm", 0)), shelf.own_folder())
    rows = {row["name"]: row for row in shelf.listing()}
    assert rows.keys() >= {"mine", *MODELS}
    assert rows["mine"]["title"] == MODELS["lstm"].title
    assert rows["mine"]["test_accuracy"] is None


@pytest.mark.parametrize("card", shelf.cards(), ids=lambda card: card.name)
def test_a_shipped_card_agrees_with_itself_and_its_file(card: Card) -> None:
    model, read = shelf.load(card.name)
    assert read == card
    assert json.loads(card.to_json()) == dataclasses.asdict(card)
    assert card.parameters == shelf.parameter_count(model)
    assert card.bytes < 16_000_000
    for split, count in ((card.validation, 5_000), (card.test, 10_000)):
        right = sum(split.confusion[label][label] for label in range(10))
        assert split.n == count == sum(map(sum, split.confusion))
        assert split.accuracy == pytest.approx(right / count)


def test_the_shipped_weights_reach_the_published_figures() -> None:
    reached = {card.architecture: card.test.accuracy for card in shelf.cards()}
    floors = {
        "fcnn": 0.8956,
        "fcnn-small": 0.8742,
        "fcnn-deep": 0.8865,
        "cnn": 0.9166,
        "cnn-strided": 0.90,
        "residual-100k": 0.937,
        "residual-300k": 0.947,
        "residual": 0.95,
        "resnet-20": 0.95,
        "resnet-20-wide": 0.954,
        "rows-columns": 0.922,
        "fcnn-wide": 0.91,
        "fcnn-normalized": 0.917,
        "bilstm": 0.91,
        "lstm": 0.91,
        "gru": 0.905,
        "everyday": 0.937,
    }
    assert all(reached[name] >= floor for name, floor in floors.items()), reached


def test_a_card_knows_how_sure_to_be_of_each_kind_of_picture() -> None:
    # The odds of none fall with the largest logit, and are even where it is 1.
    # An answer is right as often as not where the second is as large, and else nearly always.
    photo = Certainty(
        temperature=0.5, none=[-4.0, *[0.0] * 9, 4.0], right=[3.0, -3.0, *[0.0] * 8, -0.8]
    )
    card = Card(
        "mine", "fcnn", 0, temperature=2.0, energy_limit=-3.0, sources=["Somebody, CC0"],
        certainty={"photo": photo},
    )  # fmt: skip
    assert Card.from_json(card.to_json()) == card
    logits = np.float32([[2.0] + [0.0] * 9])
    assert card.doubts(logits) == (UNFAMILIAR,)  # its energy is -2.8
    assert card.doubts(logits, ["sketch"]) == (UNFAMILIAR,)
    assert card.doubts(2 * logits, ["sketch"]) == ("",)
    weak, even, strong = logits / 4, np.float32([[2.0, 2.0] + [0.0] * 8]), 2 * logits
    assert card.doubts(np.concatenate([weak, even, strong]), ["photo"] * 3) == (
        NONE_OF_TEN,
        UNSURE.format(right=3, help=HELP["photo"]),
        "",
    )
    shares = card.probabilities(logits.repeat(2, 0), ["photo", "sketch"])
    np.testing.assert_allclose(shares[:1], evaluation.probabilities(logits, 0.5), rtol=1e-5)
    np.testing.assert_allclose(shares[1:], evaluation.probabilities(logits, 2.0), rtol=1e-5)


def test_a_picture_is_answered_as_its_kind_is_and_every_other_as_the_dataset() -> None:
    sure = {"photo": Certainty(temperature=0.01)}
    card = Card("mine", "fcnn", 0, energy_limit=-100.0, certainty=sure)
    weights = Weights(MODELS["fcnn"].seeded(0).eval(), card)
    images = np.full((1, 28, 28), 90, np.uint8)
    photo = weights.answer(images, torch.device("cpu"), ["photo"])
    sketch, unknown = (weights.answer(images, torch.device("cpu"), k) for k in (["sketch"], None))
    assert (photo.doubts, sketch.doubts) == (("",), (UNFAMILIAR,))
    assert photo.probabilities.max() > sketch.probabilities.max()
    assert (sketch.probabilities == unknown.probabilities).all()
    assert unknown.doubts == (UNFAMILIAR,)
    measured = dataclasses.replace(
        card, certainty={"dataset": Certainty(1.0, none=[0.0] * 10 + [9.0])}
    )
    assert measured.doubts(np.zeros((1, 10), np.float32)) == (NONE_OF_TEN,)


def test_a_model_can_begin_with_weights_that_are_built_alike() -> None:
    elder = MODELS["residual-300k"].seeded(1)
    shelf.save(Weights(elder, Card("elder", "residual-300k", 0)), shelf.own_folder())
    shelf.begin(model := MODELS["residual-300k"].seeded(0), "elder")
    known = elder.state_dict()
    assert all(torch.equal(value, known[key]) for key, value in model.state_dict().items())
    with pytest.raises(WeightsError, match="can't begin with elder"):
        shelf.begin(MODELS["residual-100k"].seeded(0), "elder")
    with pytest.raises(WeightsError, match="no weights 'nobody'"):
        shelf.begin(model, "nobody")


# Kept under a name that people read


def kept_as(label: str, name: str = "fcnn-small") -> Card:
    return shelf.keep(Weights(MODELS[name].seeded(0), Card("run", name, 0)), label)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Größtes Netz", "Grosstes-Netz"),
        ("  two\nlines ", "two-lines"),
        ("\U0001f457\U0001f45f", "model"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\up", "C-up"),
        (".hidden", "hidden"),
        ("fine-1.2_b", "fine-1.2_b"),
    ],
)
def test_a_label_of_any_words_is_kept_in_a_file_of_a_plain_name(label: str, name: str) -> None:
    card = kept_as(label)
    assert (card.name, card.label) == (name, " ".join(label.split()))
    assert {path.name for path in shelf.own_folder().iterdir()} == {
        f"{name}.json",
        f"{name}.safetensors",
        shelf.LOCK,
    }
    assert not [path for path in shelf.own_folder().parent.iterdir() if path.is_file()]
    assert shelf.load(name)[1] == card


def test_labels_that_make_the_same_file_name_stay_apart() -> None:
    cards = [kept_as(label) for label in ("Mein Netz", "Mein-Netz!", "Mein Netz?", "mein netz")]
    assert len({card.name for card in cards}) == len(cards)
    assert [shelf.load(card.name)[1].label for card in cards] == [card.label for card in cards]


@pytest.mark.parametrize("label", ["Mein Netz", "Mein-Netz", "  Mein  Netz "])
def test_a_label_that_others_have_is_refused(label: str) -> None:
    kept_as("Mein Netz")
    with pytest.raises(WeightsError, match=r"weights named Mein.Netz already"):
        kept_as(label)


@pytest.mark.parametrize("label", ["", " \n\u200b\u202e", "x" * 65])
def test_a_label_of_nothing_or_too_much_is_refused(label: str) -> None:
    with pytest.raises(WeightsError, match="1 to 64 characters"):
        kept_as(label)
    assert not shelf.own_folder().exists()


def test_a_chain_in_which_nothing_learns_has_a_title_too() -> None:
    layers = [{"kind": "AdaptivePool", "output_size": [2, 5]}, {"kind": "Flatten"}]
    assert Card("mine", None, 0, layers=layers).title == "No layer that learns"


@pytest.mark.parametrize("written", [0, 1])
def test_a_kill_while_weights_are_kept_leaves_none_and_their_name_free(
    written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole, paths = shelf.write_whole, list[Path]()

    def write_until_killed(path: Path, content: bytes) -> None:
        if len(paths) == written:
            raise KeyboardInterrupt
        paths.append(path)
        write_whole(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(shelf, "write_whole", write_until_killed)
        patch.setattr(shelf, "_unlink", lambda name: None)  # who is killed tidies nothing
        with pytest.raises(KeyboardInterrupt):
            kept_as("mine")
    assert len([path for path in shelf.own_folder().iterdir() if path.suffix]) == written
    assert "mine" not in {card.name for card in shelf.cards()}
    kept_as("mine", "fcnn")
    assert shelf.load("mine").card.architecture == "fcnn"


def test_weights_that_go_while_all_are_listed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        kept_as(name)
    read_card = shelf._read_card

    def read_too_late(path: Path) -> Card:
        if path.stem == "first":
            shelf.remove("first")
        return read_card(path)

    monkeypatch.setattr(shelf, "_read_card", read_too_late)
    names = {card.name for card in shelf.cards()}
    assert "second" in names
    assert "first" not in names


@pytest.mark.parametrize("spelling", ["weights", "../project/weights", "./weights/"])
def test_shipped_weights_are_nobodys_however_their_folder_is_spelt(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project" / "weights"
    put_beside("cnn", folder)
    monkeypatch.setattr(shelf, "SHIPPED", folder)
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("FMNIST_WEIGHTS", spelling)
    assert not shelf.kept("cnn")
    with pytest.raises(WeightsError, match="not among the weights that were kept"):
        shelf.remove("cnn")
    assert kept_as("mine").name == "mine"
    assert shelf.kept("mine")


def test_renamed_weights_stay_in_their_file_and_can_get_their_old_name_back() -> None:
    before = kept_as("mine")
    after = shelf.rename("mine", "Größer als \U0001f457")
    assert after == dataclasses.replace(before, display_name="Größer als \U0001f457")
    assert shelf.load("mine")[1] == after
    assert after in shelf.cards()
    assert shelf.rename("mine", "mine") == before
    with pytest.raises(WeightsError, match="weights named cnn already"):
        shelf.rename("mine", "cnn")


def test_removed_weights_are_gone_and_their_name_is_free() -> None:
    kept_as("mine")
    kept_as("other")
    shelf.remove("mine")
    assert not list(shelf.own_folder().glob("mine*"))
    with pytest.raises(WeightsError, match="no weights 'mine'"):
        shelf.load("mine")
    assert kept_as("mine").name == "mine"
    shelf.load("other")


@pytest.mark.parametrize("shares_the_folder", [True, False])
@pytest.mark.parametrize("name", ["cnn", shelf.ADVERSARIAL, "../cnn", "nobodys"])
def test_what_nobody_kept_is_neither_renamed_nor_removed(
    name: str, shares_the_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project" / "weights"
    put_beside("cnn", folder.parent)
    for shipped in ("cnn", shelf.ADVERSARIAL):
        put_beside(shipped, folder)
    monkeypatch.setattr(shelf, "SHIPPED", folder)
    if shares_the_folder:
        monkeypatch.delenv("FMNIST_WEIGHTS")
    kept_as("mine")
    for change in (shelf.remove, lambda name: shelf.rename(name, "mine, too")):
        with pytest.raises(WeightsError, match="not among the weights that were kept"):
            change(name)
    assert {path.stem for path in [*folder.iterdir(), *folder.parent.glob("cnn.*")]} <= {
        "cnn",
        shelf.ADVERSARIAL,
        "mine",
        shelf.LOCK,
    }
    assert shelf.load("cnn")[1].label == "cnn"
    shelf.remove("mine")
