"""A map of images: what a model makes of them, brought down to two dimensions."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fmnist.models.inference import ProgressCallback

SEED = 0
THREADS = 2
REPORT_EVERY = 10  # iterations


def pca(vectors: NDArray[np.float32], report: ProgressCallback) -> NDArray[np.float32]:
    """The first two principal components (N, 2) of vectors (N, D)."""
    # scikit-learn and openTSNE take a second to import, and few pages need them.
    from sklearn.decomposition import PCA

    positions: NDArray[np.float32] = PCA(2, svd_solver="covariance_eigh").fit_transform(vectors)
    return positions


def tsne(vectors: NDArray[np.float32], report: ProgressCallback) -> NDArray[np.float32]:
    """Positions (N, 2) that keep neighbours together (van der Maaten & Hinton 2008).

    The seed is fixed; the progress is reported ten iterations at a time.
    """
    from openTSNE import TSNE

    fit = TSNE(n_jobs=THREADS, random_state=SEED)
    steps = (fit.early_exaggeration_iter + fit.n_iter) // REPORT_EVERY
    taken = 0

    def count(iteration: int, error: float, embedding: NDArray[np.float64]) -> None:
        nonlocal taken
        taken += 1
        report(taken / steps)

    fit.callbacks, fit.callbacks_every_iters = count, REPORT_EVERY
    return np.asarray(fit.fit(vectors), np.float32)


def along_the_last(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Positions (E, N, 2) of the same images in E sets of vectors (N, D), by one pair of axes.

    Those are the principal components of the last, so that what moves is the vectors.
    """
    from sklearn.decomposition import PCA

    axes = PCA(2, svd_solver="covariance_eigh").fit(vectors[-1])
    return np.stack([axes.transform(each) for each in vectors]).astype(np.float32)


METHODS: Mapping[str, Callable[[NDArray[np.float32], ProgressCallback], NDArray[np.float32]]] = (
    MappingProxyType({"PCA": pca, "t-SNE": tsne})
)


def fit_square(positions: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Positions (N, 2) moved and scaled alike in both directions to fill 0 to 65,535."""
    least, most = positions.min(0), positions.max(0)
    span = max(float((most - least).max()), np.finfo(np.float32).tiny)
    middle = (least + most) / 2
    square: NDArray[np.uint16] = np.round(((positions - middle) / span + 0.5) * 65535).astype(
        np.uint16
    )
    return square
