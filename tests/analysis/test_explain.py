from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn

from fmnist.analysis import explain
from fmnist.analysis.explain import CHUNK, Occlusion
from fmnist.data import garments, splits
from fmnist.data.splits import CLASSES
from fmnist.models import MODELS, chain, inference
from fmnist.models.layers import Classifier
from fmnist.weights import shelf

CPU = torch.device("cpu")
IMAGES, LABELS = garments.draw(20, seed=5)


class Chain(Classifier):
    """A classifier of a body and a head, without standardisation."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.standardize, self.body, self.head = nn.Identity(), body, head


def linear() -> Classifier:
    torch.manual_seed(0)
    return Chain(nn.Sequential(nn.Flatten()), nn.Linear(784, 10)).eval()


def smooth() -> Classifier:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 5, stride=2), nn.Tanh(), nn.Flatten())
    return Chain(body, nn.Linear(4 * 12 * 12, 10)).eval()


def built(name: str) -> Classifier:
    model = MODELS[name].seeded(0).eval()
    assert isinstance(model, Classifier)
    return model


# Saliency


@pytest.mark.parametrize("model", [smooth(), built("lstm")], ids=["convolution", "lstm"])
def test_the_gradient_agrees_with_finite_differences(model: Classifier) -> None:
    pixels = (IMAGES[:1] / 255).astype(np.float32)
    gradient = explain.gradient(model, pixels, label=3)[0]
    step = 0.02
    for row, column in np.random.default_rng(0).integers(0, 28, (30, 2)):
        moved = np.repeat(pixels, 2, axis=0)
        moved[:, row, column] += (step, -step)
        with torch.no_grad():
            above, below = model(torch.tensor(moved)[:, None])[:, 3].tolist()
        assert gradient[row, column] == pytest.approx((above - below) / (2 * step), abs=2e-4)


def test_the_saliency_of_a_linear_model_is_the_magnitude_of_its_weights() -> None:
    model = linear()
    weight = model.head.weight[7].detach().numpy().reshape(28, 28)
    for image in IMAGES[:3]:
        assert np.allclose(explain.saliency(model, image, 7), np.abs(weight), atol=1e-6)


# Grad-CAM


def test_grad_cam_of_a_tiny_network_is_what_a_hand_computes() -> None:
    # Two channels see the image and its negative; class 0 is the mean of the first times 3 minus
    # the mean of the second. So the weights are 3/784 and -1/784, and what speaks for the class
    # is (3 x - (1 - x)) / 784 where that is above 0.
    copy = nn.Conv2d(1, 2, 1)
    copy.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
    copy.bias.data = torch.tensor([0.0, 1.0])
    head = nn.Linear(2, 10)
    head.weight.data[0] = torch.tensor([3.0, -1.0])
    model = Chain(nn.Sequential(copy, nn.AdaptiveAvgPool2d(1), nn.Flatten()), head)
    x = IMAGES[0] / 255
    expected = np.maximum(0, 3 * x - (1 - x)) / 784
    assert np.allclose(explain.grad_cam(model, IMAGES[0], 0), expected, atol=1e-8)


def test_grad_cam_finds_the_one_thing_that_a_network_looks_for() -> None:
    # A filter for bright blocks, and a class that counts them.
    find = nn.Conv2d(1, 1, 5, padding=2)
    find.weight.data[:], find.bias.data[:] = 1.0, -16.0
    body = nn.Sequential(find, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Linear(1, 10)
    head.weight.data[4] = 1.0
    image = np.zeros((28, 28), np.uint8)
    image[18:24, 3:9] = 255
    image[5:9, 15:27:2] = 255  # thin lines, which are no block
    cam = explain.grad_cam(Chain(body, head), image, 4)
    assert cam.min() == 0
    rows, columns = np.nonzero(cam)
    assert rows.min() >= 17
    assert rows.max() <= 24
    assert columns.min() >= 2
    assert columns.max() <= 9


@pytest.mark.parametrize("name", MODELS)
def test_grad_cam_is_for_models_with_convolutions(name: str) -> None:
    cam = explain.grad_cam(built(name), IMAGES[0], 0)
    if MODELS[name].family == "cnn":
        assert cam.shape == (28, 28)
        assert cam.dtype == np.float32
        assert cam.min() >= 0
    else:
        assert cam is None


def test_grad_cam_reads_the_maps_after_their_relu() -> None:
    # Below zero a map says nothing, also where its class counts it negatively.
    find = nn.Conv2d(1, 1, 1)
    find.weight.data[:], find.bias.data[:] = 1.0, -0.5
    body = nn.Sequential(find, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Linear(1, 10)
    head.weight.data[4] = -1.0
    assert not explain.grad_cam(Chain(body, head), IMAGES[0], 4).any()


# Occlusion


def test_grad_cam_keeps_cudnn_out_of_recurrent_layers_behind_its_maps() -> None:
    model = chain.Chain(
        [
            {"kind": "Conv2d", "inputs": 1, "outputs": 1, "size": [1, 1]},
            {"kind": "Reshape", "shape": [28, 28]},
            {"kind": "Recurrent", "cell": "GRU", "inputs": 28, "hidden": 10, "depth": 1,
             "both_ways": False, "gives": "last"},
        ]
    ).eval()  # fmt: skip
    allowed = []
    model.body[2].register_forward_pre_hook(lambda *_: allowed.append(torch.backends.cudnn.enabled))
    assert explain.grad_cam(model, IMAGES[0], 1) is not None
    assert allowed == [False]


def test_occlusion_agrees_with_a_naive_loop() -> None:
    model, image, label = smooth(), IMAGES[1], 2

    def probability(image: NDArray[np.uint8]) -> Tensor:
        with torch.no_grad():
            return torch.softmax(model(torch.tensor(image)[None, None] / 255) / 0.3, 1)[0]

    found = explain.occlusion(model, image, label, temperature=0.3)
    drops: dict[tuple[int, int], float] = {}
    for top in range(0, 21, 2):
        for left in range(0, 21, 2):
            covered = image.copy()
            covered[top : top + 8, left : left + 8] = 0
            drops[top, left] = (probability(image) - probability(covered))[label].item()
    for row, column in ((0, 0), (9, 14), (27, 27), (13, 3)):
        over = [
            drop
            for (top, left), drop in drops.items()
            if top <= row < top + 8 and left <= column < left + 8
        ]
        assert found.drop[row, column] == pytest.approx(np.mean(over), abs=1e-5)
    top, left = max(drops, key=drops.__getitem__)
    assert found.place == (top + 3.5, left + 3.5)
    image = image.copy()
    image[top : top + 8, left : left + 8] = 0
    assert np.allclose(found.covered, probability(image), atol=1e-5)


def test_covering_the_ground_costs_nothing() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[:8, :8] = 200
    drop = explain.occlusion(smooth(), image, 1).drop
    assert not drop[16:, 16:].any()
    assert drop[:8, :8].any()


# In words


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((3.5, 13.5), "top"),
        ((13.5, 13.5), "middle"),
        ((23.5, 3.5), "bottom left"),
        ((13.5, 23.5), "right side"),
    ],
)
def test_a_place_in_a_garment_has_a_name(place: tuple[float, float], words: str) -> None:
    assert explain.region(np.full((28, 28), 9, np.uint8), place) == words


def test_a_place_is_named_within_the_garment_and_not_within_the_picture() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[18:27, 2:26] = 100  # a low shoe
    assert explain.region(image, (19.5, 3.5)) == "top left"
    assert explain.region(image, (3.5, 13.5)) == "top"  # above it
    assert explain.region(np.zeros((28, 28), np.uint8), (13.5, 13.5)) == "middle"


def shares_of(**shares: float) -> NDArray[np.float32]:
    names = {"boot": 9, "sneaker": 7}
    values = np.zeros(10, np.float32)
    for name, share in shares.items():
        values[names[name]] = share
    return values


def test_the_sentence_names_the_part_and_what_would_be_said_without_it() -> None:
    image = np.full((28, 28), 9, np.uint8)
    found = Occlusion(np.zeros(0), (3.5, 13.5), shares_of(boot=0.35, sneaker=0.6))
    assert explain.reason(image, shares_of(boot=0.98), 9, found) == (
        "It says Ankle boot mostly because of the garment's top: with that covered, it is 35% sure "
        "instead of 98%, and it would say Sneaker."
    )
    kept = found._replace(covered=shares_of(boot=0.6, sneaker=0.3))
    assert "would say" not in explain.reason(image, shares_of(boot=0.98), 9, kept)


def test_the_sentence_says_when_no_part_decides() -> None:
    found = Occlusion(np.zeros(0), (3.5, 13.5), shares_of(boot=0.95))
    said = explain.reason(IMAGES[0], shares_of(boot=0.98), 9, found)
    assert said == (
        "No single part makes it say Ankle boot: it is 98% sure, and whichever part is covered, "
        "at least 95%."
    )
    assert CLASSES[9] == "Ankle boot"


# Nearest


@pytest.mark.parametrize("name", MODELS)
def test_the_head_turns_features_into_the_models_answers(name: str) -> None:
    images, _ = garments.draw(20, seed=3)
    model = MODELS[name].seeded(0)
    features = explain.embed(model, images, CPU).astype(np.float32)
    with torch.inference_mode():
        logits = model.head(torch.tensor(features)).numpy()
    assert logits == pytest.approx(inference.infer(model, images, CPU), rel=1e-2, abs=1e-2)


def test_the_nearest_are_those_that_scikit_learn_finds() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(2 * CHUNK + 17, 16)).astype(np.float16)
    for feature in features[[0, 7000]]:
        rows, distances = explain.nearest(feature, features, 5)
        finder = NearestNeighbors(n_neighbors=5, metric="cosine").fit(features.astype(float))
        theirs, neighbours = finder.kneighbors(feature[None].astype(float))
        assert rows.tolist() == neighbours[0].tolist()
        assert np.allclose(distances, theirs[0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.real_data
def test_garments_alike_to_the_model_mostly_share_a_label() -> None:
    model, _ = shelf.load("cnn")
    assert isinstance(model, Classifier)
    training, unseen = splits.load("train", "real", 3000), splits.load("validation", "real", 200)
    features = explain.embed(model, training.images, CPU)
    assert features.dtype == np.float16
    right = 0
    for feature, label in zip(explain.embed(model, unseen.images, CPU), unseen.labels, strict=True):
        rows, _ = explain.nearest(feature, features, 5)
        right += np.bincount(training.labels[rows]).argmax() == label
    assert right / len(unseen) > 0.9


def test_features_of_nothing_are_far_and_no_error() -> None:
    rows, distances = explain.nearest(np.zeros(4), np.eye(4, dtype=np.float16), 9)
    assert rows.tolist() == [0, 1, 2, 3]
    assert (distances == 1).all()


# Models that several threads share


@pytest.mark.parametrize("name", MODELS)
def test_explaining_leaves_no_trace_on_the_model(name: str) -> None:
    model, image = built(name), IMAGES[0]
    before = inference.infer(model, IMAGES, CPU)
    explain.saliency(model, image, 1)
    explain.grad_cam(model, image, 1)
    explain.occlusion(model, image, 1)
    assert (inference.infer(model, IMAGES, CPU) == before).all()
    for parameter in model.parameters():
        assert parameter.grad is None
        assert parameter.requires_grad
    for module in model.modules():
        assert not module.training
        assert not module._forward_hooks
        assert not module._backward_hooks


def test_threads_that_share_a_model_get_what_each_would_get_alone() -> None:
    model = built("gru")
    alone = [explain.saliency(model, image, 0) for image in IMAGES[:6]]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda image: explain.saliency(model, image, 0), IMAGES[:6]))
    assert np.allclose(alone, together, atol=1e-6)
    assert torch.backends.cudnn.enabled
