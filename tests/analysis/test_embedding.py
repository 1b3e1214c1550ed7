"""The map: positions, checked against scikit-learn and against being far off."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from fmnist.analysis import embedding, explain
from fmnist.data import garments
from fmnist.weights import shelf


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    images, _ = garments.draw(300, seed=5)
    model, _ = shelf.load("cnn")
    return explain.embed(model, images, torch.device("cpu")).astype(np.float32)


def test_pca_equals_scikit_learns_exact_solver_but_for_signs(vectors: np.ndarray) -> None:
    expected = PCA(2, svd_solver="full").fit_transform(vectors.astype(np.float64))
    positions = embedding.pca(vectors, lambda done: None)
    assert np.abs(positions) == pytest.approx(np.abs(expected), abs=1e-2)


def test_sets_of_vectors_share_the_axes_of_the_last_one(vectors: np.ndarray) -> None:
    places = embedding.along_the_last([2 * vectors, vectors])
    alone = embedding.pca(vectors, lambda done: None)
    assert np.abs(places[1]) == pytest.approx(np.abs(alone), abs=1e-2)
    assert places[0] - places[0].mean(0) == pytest.approx(2 * places[1], abs=1e-2)


@pytest.mark.slow
def test_tsne_keeps_neighbours_better_than_pca_and_far_better_than_chance(
    vectors: np.ndarray,
) -> None:
    told: list[float] = []
    placed = {
        "t-SNE": embedding.tsne(vectors, told.append),
        "PCA": embedding.pca(vectors, told.append),
        "chance": np.random.default_rng(0).normal(size=(len(vectors), 2)),
    }
    kept = {name: trustworthiness(vectors, at, n_neighbors=7) for name, at in placed.items()}
    assert kept["t-SNE"] > kept["PCA"] > kept["chance"] + 0.2
    assert told == sorted(told)
    assert told[0] > 0
    assert told[-1] == 1


def test_the_square_is_filled_without_distortion() -> None:
    positions = np.array([[-2, 1], [2, 1], [0, 2]], np.float32)
    assert embedding.fit_square(positions).tolist() == [
        [0, 24576],
        [65535, 24576],
        [32768, 40959],
    ]


def test_garments_all_in_one_place_stand_in_the_middle() -> None:
    square = embedding.fit_square(np.ones((3, 2), np.float32))
    assert (np.abs(square.astype(int) - 32768) <= 1).all()
