import io
import pickle
import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from strangers import normalised, pickled, said, stranger

from fmnist.data import garments
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(30, seed=8)

Arrays = dict[str, NDArray[np.floating]]


def layers() -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The weights (outputs, inputs) and the bias (outputs,) of each layer of a stranger's fcnn."""
    values = [tensor.numpy() for tensor in stranger("fcnn").state_dict().values()]
    return list(zip(values[::2], values[1::2], strict=True))


def npz(arrays: Mapping[str, NDArray[np.floating]]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def alternating(double: bool = False) -> Arrays:
    arrays: Arrays = {}
    for n, (weight, bias) in enumerate(layers(), 1):
        arrays |= {f"W{n}": weight.T, f"b{n}": bias}
    return {name: a.astype(np.float64) for name, a in arrays.items()} if double else arrays


def matrices_first() -> Arrays:
    weights = {f"W{n}": weight.T for n, (weight, _) in enumerate(layers())}
    return weights | {f"b{n}": bias[None] for n, (_, bias) in enumerate(layers())}


def a_row_for_each_answer() -> Arrays:
    weights = {f"w{n}": weight for n, (weight, _) in enumerate(layers())}
    return weights | {f"b{n}": bias[:, None] for n, (_, bias) in enumerate(layers())}


def numbered() -> Arrays:
    return {f"arr_{n}": array for n, array in enumerate(alternating().values())}


WAYS: dict[str, Callable[[], Arrays]] = {
    "one after the other": alternating,
    "in double precision": lambda: alternating(double=True),
    "matrices first, vectors as rows": matrices_first,
    "a row for each answer, vectors as columns": a_row_for_each_answer,
    "by their place alone": numbered,
    "beside what counts epochs": lambda: (
        alternating() | {"epoch": np.array([3]), "lr": np.ones(())}
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_network_written_in_numpy_answers_as_it_does_at_its_owners(way: str) -> None:
    model, card = shelf.open(npz(WAYS[way]()), "homework.npz")
    assert card.name == "homework"
    expected = said(stranger("fcnn"), IMAGES, "0..1")
    answers = inference.infer(model, IMAGES, CPU)
    assert np.allclose(normalised(answers), normalised(expected), atol=1e-5)


def test_a_network_without_biases_has_none() -> None:
    matrices = {name: array for name, array in alternating().items() if name.startswith("W")}
    model, _ = shelf.open(npz(matrices), "homework.npz")
    blank = np.zeros((1, 28, 28), np.uint8)
    assert np.abs(inference.infer(model, blank, CPU)).max() < 1e-5


def test_a_state_dict_may_name_its_tensors_as_numpy_does() -> None:
    tensors = {name: torch.tensor(array) for name, array in alternating().items()}
    model, _ = shelf.open(pickled(tensors), "homework.pt")
    expected = said(stranger("fcnn"), IMAGES, "0..1")
    answers = inference.infer(model, IMAGES, CPU)
    assert np.allclose(normalised(answers), normalised(expected), atol=1e-5)


def answers_as_at_its_owners(content: bytes, filename: str, architecture: str) -> bool:
    expected = said(stranger(architecture), IMAGES, "0..1")
    answers = inference.infer(shelf.open(content, filename).model, IMAGES, CPU)
    return np.allclose(normalised(answers), normalised(expected), atol=1e-5)


def apart() -> dict[str, list[NDArray[np.float32]]]:
    weights, biases = zip(*layers(), strict=True)
    return {"weights": list(weights), "biases": [bias[:, None] for bias in biases]}


NESTS: dict[str, Callable[[], object]] = {
    "matrices and vectors apart": lambda: {"sizes": np.array([784, 512, 256, 10]), **apart()},
    "vectors first": lambda: dict(reversed(apart().items())),
    "two lists": lambda: list(apart().values()),
    "as scikit-learn calls them": lambda: {
        "coefs_": [weight.T for weight, _ in layers()],
        "intercepts_": [bias for _, bias in layers()],
        "classes_": np.arange(10),
    },
    "beside how they change": lambda: apart() | {"velocities": [w / 9 for w, _ in layers()]},
    "beside the loss of each epoch": lambda: apart() | {"history": np.arange(20.0)},
    "pairs, as in JAX": lambda: [(weight.T, bias) for weight, bias in layers()],
    "pairs and what has no weights": lambda: [x for w, b in layers() for x in ((w.T, b), ())],
    "as Haiku calls them": lambda: {
        "mlp/~/linear" + f"_{n}" * (n > 0): {"w": weight.T, "b": bias}
        for n, (weight, bias) in enumerate(layers())
    },
    "layer by layer": lambda: {
        f"layer{n}": {"W": weight, "b": bias} for n, (weight, bias) in enumerate(layers(), 1)
    },
}


@pytest.mark.parametrize("nest", NESTS)
def test_a_pickled_nest_of_arrays_opens_with_all_of_its_vectors(nest: str) -> None:
    assert answers_as_at_its_owners(pickle.dumps(NESTS[nest]()), "homework.pkl", "fcnn")


def test_matrices_are_no_network_where_vectors_that_belong_with_them_would_be_left_out() -> None:
    nest = apart() | {"history": np.arange(10.0)}  # as long as the last layer has answers
    with pytest.raises(WeightsError, match="is no plain stack"):
        shelf.open(pickle.dumps(nest), "homework.pkl")


def test_filters_in_the_order_of_the_layers_need_no_names() -> None:
    arrays = [tensor.numpy() for tensor in stranger("cnn").state_dict().values()]
    content = npz({f"arr_{n}": array for n, array in enumerate(arrays)})
    assert answers_as_at_its_owners(content, "round-3-weights.npz", "cnn")


REFUSED: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "holes": (lambda a: a | {"b1": a["b1"] * np.nan}, "b1 holds values that are not finite"),
    "a layer that doesn't follow": (lambda a: a | {"W2": a["W2"][1:]}, "is no plain stack"),
    "a vector too many": (lambda a: a | {"mean": np.ones(784)}, "is no plain stack"),
    "filters of a convolution": (lambda a: a | {"K": np.ones((3, 3, 1, 8))}, "is no plain stack"),
}


def test_filters_that_make_no_network_are_no_table_either() -> None:
    arrays = {"arr_0": np.ones((5, 5, 1, 6)), "arr_1": np.ones(6), "arr_2": np.ones((3456, 10))}
    with pytest.raises(WeightsError, match="is no plain stack"):
        shelf.open(npz(arrays), "theirs.npz")


@pytest.mark.parametrize("what", REFUSED)
def test_arrays_that_are_no_rows_of_layers_are_refused_with_what_is_wrong(what: str) -> None:
    change, reason = REFUSED[what]
    with pytest.raises(WeightsError, match=re.escape(reason)):
        shelf.open(npz(change(alternating())), "homework.npz")
