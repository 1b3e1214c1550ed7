import io
import json
import zipfile
from collections.abc import Callable, Sequence

import h5py
import numpy as np
import pytest
import torch
from hostile import altered, bomb, circle, external, many, soft, stored_elsewhere
from keras_files import (
    Layer,
    batch_norm,
    conv,
    dense,
    drawn,
    forward,
    functional,
    h5,
    sequential,
    zipped,
)
from strangers import normalised
from torch.nn.functional import interpolate

from fmnist.analysis import explain
from fmnist.data import garments, splits
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers import keras, stacks

CPU = torch.device("cpu")
IMAGES, _ = garments.draw(12, seed=8)
FLATTEN = Layer("Flatten")
POOL = Layer("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"})

LSTM = Layer("LSTM", {"units": 6, "activation": "tanh", "recurrent_activation": "sigmoid"},
             (drawn(28, 24), drawn(6, 24), drawn(24)))  # fmt: skip
GRU = Layer("GRU", LSTM.settings | {"reset_after": True},
            (drawn(28, 18), drawn(6, 18), drawn(2, 18)))  # fmt: skip
NETWORKS = {
    "linears": ([FLATTEN, dense(784, 12, "relu"), Layer("Dropout", {"rate": 0.5}),
                 dense(12, 10, "softmax")], (28, 28)),
    "rows of pixels": ([dense(784, 12, "tanh"), dense(12, 10)], (784,)),
    "convolutions": ([conv(3, 1, 4, padding="same"), batch_norm(4), POOL, conv(4, 4, 5, "elu"),
                      POOL, FLATTEN, dense(125, 10, "softmax")], (28, 28, 1)),
    "uneven": ([Layer("Rescaling", {"scale": 2.0, "offset": -1.0}), Layer("RandomFlip"),
                Layer("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}),
                conv(5, 1, 3, "linear", strides=[3, 3], padding="same"),
                Layer("LeakyReLU", {"alpha": 0.3}),
                Layer("AveragePooling2D", {"pool_size": [3, 3], "strides": [2, 2],
                                           "padding": "same"}),
                Layer("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2],
                                       "padding": "same"}),
                FLATTEN, batch_norm(27), dense(27, 10, "softmax")], (28, 28, 1)),
    "channel by channel": (
        [Layer("Reshape", {"target_shape": [28, 28, 1]}),
         Layer("DepthwiseConv2D", {"strides": [2, 2], "padding": "same", "activation": "relu"},
               (drawn(3, 3, 1, 4), drawn(4))),
         Layer("SeparableConv2D", {"strides": [2, 2], "padding": "same", "activation": "relu"},
               (drawn(3, 3, 4, 2), drawn(1, 1, 8, 6), drawn(6))),
         Layer("GlobalAveragePooling2D"), dense(6, 10), Layer("Activation", {"activation":
                                                                              "softmax"})],
        (28, 28)),
    "larger": ([Layer("Resizing", {"height": 32, "width": 32, "interpolation": "bilinear"}),
                conv(5, 1, 2, strides=[3, 3]), FLATTEN, dense(200, 10, "softmax")], (28, 28, 1)),
    "lstm": ([LSTM, dense(6, 10, "softmax")], (28, 28)),
    "gru": ([GRU, dense(6, 10, "softmax")], (28, 28)),
}  # fmt: skip
every_network = pytest.mark.parametrize("name", NETWORKS)


def model_said(layers: Sequence[Layer], shape: Sequence[int]) -> np.ndarray:
    """What plain numpy says of the images, as log-probabilities."""
    answers = forward(layers, (IMAGES / 255).astype(np.float32).reshape(-1, *shape))
    last = layers[-1].settings.get("activation")
    return np.log(answers) if last == "softmax" else normalised(answers.astype(np.float32))


SAVE: dict[str, Callable[[list[Layer], Sequence[int]], bytes]] = {
    "model.h5": lambda layers, shape: h5(layers, sequential(layers, shape)),
    "model.hdf5": lambda layers, shape: h5(layers, functional(layers, shape)),
    "model.keras": lambda layers, shape: zipped(layers, sequential(layers, shape)),
    "functional.keras": lambda layers, shape: zipped(layers, functional(layers, shape)),
}


@every_network
@pytest.mark.parametrize("filename", SAVE)
def test_a_file_of_keras_answers_as_its_network_does(filename: str, name: str) -> None:
    layers, shape = NETWORKS[name]
    model, card = shelf.open(SAVE[filename](layers, shape), filename)
    answers = normalised(inference.infer(model, IMAGES, CPU))
    assert np.allclose(answers, model_said(layers, shape), atol=1e-4)
    assert (card.architecture, card.doubt) == (None, None)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("filename", SAVE)
@pytest.mark.parametrize(
    ("axes", "shape"),
    [([1], (28, 28)), ([2], (28, 28)), ([1, 2], (28, 28)), ([1, 2], (28, 28, 1)),
     ([2], (28, 28, 1)), ([-1], (28, 28, 1)), ([], (28, 28))],
    ids=str,
)  # fmt: skip
def test_a_normalisation_is_along_the_axes_that_keras_kept(
    axes: list[int], shape: tuple[int, ...], filename: str, given: bool
) -> None:
    sizes = [(1, *shape)[axis] for axis in axes]
    mean, variance = (np.asarray(drawn(*sizes, seed=seed)) for seed in (1, 2))
    variance = 0.5 + abs(variance)
    settings = {"mean": mean.tolist(), "variance": variance.tolist()} if given else {}
    arrays = () if given else (mean, variance, np.array(7, np.float32))
    names = ("mean", "variance", "count")
    rest = [FLATTEN, dense(784, 10)]
    layers = [Layer("Normalization", {"axis": axes} | settings, arrays, names), *rest]
    model, _ = shelf.open(SAVE[filename](layers, shape), filename)
    others = [
        axis for axis in range(len(shape) + 1) if axis not in [a % (len(shape) + 1) for a in axes]
    ]
    mean, variance = (np.expand_dims(values, others) for values in (mean, variance))
    images = (IMAGES / 255).reshape(-1, *shape)
    expected = forward(rest, ((images - mean) / np.sqrt(variance)).astype(np.float32))
    assert np.allclose(inference.infer(model, IMAGES, CPU), expected, atol=1e-4)


LARGER = {
    "rows": ([dense(1024, 10)], (1024,)),
    "images": ([FLATTEN, dense(1024, 10)], (32, 32)),
    "one channel": ([conv(5, 1, 3), FLATTEN, dense(2352, 10)], (32, 32, 1)),
    "three channels": ([conv(5, 3, 3), FLATTEN, dense(2352, 10)], (32, 32, 3)),
}


@pytest.mark.parametrize("name", LARGER)
def test_pictures_are_made_as_large_as_a_network_wants_them(name: str) -> None:
    layers, shape = LARGER[name]
    model, card = shelf.open(h5(layers, sequential(layers, shape)), "model.h5")
    assert card.taken_for == "pictures made 32x32"
    larger = interpolate(torch.tensor(IMAGES)[:, None] / 255, (32, 32), mode="bilinear").numpy()
    coloured = np.repeat(larger, 3, axis=1) if shape[-1] == 3 else larger
    expected = forward(layers, coloured.transpose(0, 2, 3, 1).reshape(-1, *shape))
    assert np.allclose(inference.infer(model, IMAGES, CPU), expected, atol=1e-4)


@pytest.mark.real_data
@pytest.mark.parametrize("filename", SAVE)
def test_a_black_border_is_found_out_and_kept(filename: str) -> None:
    shipped, _ = shelf.load("softmax")
    weight, bias = (shipped.get_parameter(f"head.{name}").detach() for name in ("weight", "bias"))
    theirs = torch.randn(10, 32, 32, generator=torch.Generator().manual_seed(0))
    theirs[:, 2:30, 2:30] = weight.view(10, 28, 28)
    black = shipped.standardize(torch.tensor(0.0))
    arrays = (
        theirs.flatten(1).T.numpy(),
        (bias + black * (weight.sum(1) - theirs.sum((1, 2)))).numpy(),
    )
    layers = [FLATTEN, Layer("Dense", {"units": 10}, arrays)]
    opened = shelf.open(SAVE[filename](layers, (32, 32, 1)), filename)
    assert (opened.card.reads, opened.card.taken_for) == (
        "standardised",
        "pictures with a border, 32x32",
    )
    shelf.keep(opened, "theirs")
    images = splits.load("test", "real", 300).images
    for model in (opened.model, shelf.load("theirs").model):
        answers = inference.infer(model, images, CPU)
        assert np.allclose(answers, inference.infer(shipped, images, CPU), atol=1e-2)


@every_network
def test_a_network_of_keras_is_kept_and_comes_back(name: str) -> None:
    layers, shape = NETWORKS[name]
    opened = shelf.open(h5(layers, sequential(layers, shape)), "model.h5")
    kept = shelf.keep(Weights(*opened), "homework")
    again, card = shelf.load("homework")
    assert card == kept
    assert card.layers == opened.card.layers
    assert card.family in ("fcnn", "cnn", "rnn")
    ours = inference.infer(opened.model, IMAGES, CPU)
    assert (inference.infer(again, IMAGES, CPU) == ours).all()


def test_a_network_of_keras_is_explained_like_our_own() -> None:
    layers, shape = NETWORKS["convolutions"]
    model, _ = shelf.open(h5(layers, sequential(layers, shape)), "model.h5")
    for reason in (explain.saliency, explain.grad_cam):
        found = reason(model, IMAGES[0], 3)
        assert found is not None
        assert found.shape == (28, 28)
    assert explain.embed(model, IMAGES, CPU).shape == (12, 125)


def test_a_nested_sequential_is_a_part_of_the_row() -> None:
    inner, outer = [FLATTEN, dense(784, 12, "relu")], [dense(12, 10, "softmax")]
    nested = sequential(inner, (28, 28))
    nested["config"]["name"] = "inside"
    model = sequential(outer)
    del model["config"]["layers"][0]["config"]["batch_input_shape"]
    model["config"]["layers"].insert(0, nested)
    content = io.BytesIO(h5(outer, model))
    with h5py.File(content, "a") as file:
        group = file["model_weights"].create_group("inside")
        names = ["inside/dense/kernel:0", "inside/dense/bias:0"]
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name, array in zip(names, inner[1].arrays, strict=True):
            group[name] = array
        file["model_weights"].attrs["layer_names"] = [b"inside", b"dense"]
    opened, _ = shelf.open(content.getvalue(), "model.h5")
    answers = normalised(inference.infer(opened, IMAGES, CPU))
    assert np.allclose(answers, model_said([*inner, *outer], (28, 28)), atol=1e-4)


def test_weights_alone_are_a_stack_whose_maps_are_flattened_as_keras_does() -> None:
    layers = [conv(3, 1, 4), POOL, conv(3, 4, 5), POOL, FLATTEN, dense(125, 10)]
    opened, card = shelf.open(h5(layers, None, whole=False), "model.weights.h5")
    assert card.taken_for == "ReLU, max pooling 2"
    answers = normalised(inference.infer(opened, IMAGES, CPU))
    assert np.allclose(answers, model_said(layers, (28, 28, 1)), atol=1e-4)


def test_of_weights_alone_the_names_of_layers_without_any_say_where_no_pooling_is() -> None:
    wide = POOL._replace(settings={**POOL.settings, "pool_size": [3, 3], "strides": [3, 3]})
    layers = [conv(3, 1, 4), conv(3, 4, 5), wide, conv(3, 5, 6), wide, FLATTEN, dense(24, 10)]
    found = keras.read(h5(layers, None, whole=False), "model.weights.h5")
    ways = stacks.read(found, channels_last=True).geometries()
    pools = [[step.pool for step in way.steps] for way in ways if way.side == 28]
    assert all(first == (1, 1) for first, *_ in pools[:16])
    assert [(1, 1), (3, 3), (3, 3)] in pools[:16]


# What is refused


def refused(content: bytes, filename: str = "theirs.h5") -> str:
    with pytest.raises(WeightsError) as caught:
        shelf.open(content, filename)
    sentence = str(caught.value)
    assert sentence.startswith(filename)
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    "kind", ["Lambda", "Conv1D", "Custom>Mine", "MultiHeadAttention", "Masking"]
)
def test_layers_that_are_not_read_are_named(kind: str) -> None:
    layers = [FLATTEN, Layer(kind), dense(784, 10)]
    for content in (h5(layers, sequential(layers)), zipped(layers, sequential(layers))):
        assert kind.rpartition(">")[2] in refused(content)


def test_a_model_that_branches_is_refused() -> None:
    layers = [FLATTEN, dense(784, 10), Layer("Add")]
    model = functional(layers)
    args = model["config"]["layers"][-1]["inbound_nodes"][0]["args"]
    args.append({"config": {"keras_history": ["flatten", 0, 0]}})
    assert "joins branches in Add" in refused(h5(layers, model))


def test_a_class_of_the_authors_is_refused() -> None:
    layers = [FLATTEN, dense(784, 10)]
    model = sequential(layers) | {"class_name": "MyModel"}
    assert "a class of its author's" in refused(h5(layers, model))


@pytest.mark.parametrize("place", ["", "mine/"])
def test_arrays_of_ones_own_are_refused_with_what_to_do(place: str) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for name, size in (("W1", (784, 12)), ("b1", 12), ("W2", (12, 10)), ("b2", 10)):
            file[place + name] = drawn(*np.atleast_1d(size))
    sentence = refused(content.getvalue())
    assert ("mine" if place else "what is in no group") + " is no layer of a plain" in sentence
    assert 'np.savez("model.npz", **arrays)' in sentence


def test_pictures_of_another_size_are_refused() -> None:
    layers = [FLATTEN, dense(400, 10)]
    for shape in ((20, 20), (32, 28), (None, None, 1), (300, 300)):
        said = " x ".join(map(str, shape))
        assert f"pictures of {said}," in refused(h5(layers, sequential(layers, shape)))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (external, "links to other places or files"),
        (soft, "links to other places or files"),
        (circle, "deeper than any model"),
        (stored_elsewhere, "keeps arrays in other files"),
        (bomb, "unpacks to more"),
        (many, "more parts"),
    ],
)
def test_what_hdf5_can_do_beside_arrays_is_refused(
    change: Callable[[h5py.File], object], sentence: str
) -> None:
    assert sentence in refused(altered(change))


def test_a_zip_that_unpacks_to_more_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps({}))
        archive.writestr("model.weights.h5", bytes(2**27))
    assert "unpacks to more" in refused(content.getvalue(), "theirs.keras")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 60_000, '{"class_name": "Sequential"}'])
def test_a_description_that_is_none_is_refused(text: str) -> None:
    assert refused(altered(lambda file: file.attrs.__setitem__("model_config", text)))
