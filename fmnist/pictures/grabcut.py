"""GrabCut: what is in front, by colours that are surely there and others that may be.

After Rother, Kolmogorov, Blake 2004.
"""

import cv2
import numpy as np
from numpy.typing import NDArray


def in_front(rgb: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Which pixels are in front, uint8 (H, W) of 0 and 1, by OpenCV's labels of what is known."""
    cv2.setRNGSeed(0)  # it starts from a random k-means
    models = np.zeros((1, 65)), np.zeros((1, 65))
    found = labels.copy()
    cv2.grabCut(rgb, found, (0, 0, 0, 0), *models, 3, cv2.GC_INIT_WITH_MASK)
    return np.asarray(found & 1, np.uint8)
