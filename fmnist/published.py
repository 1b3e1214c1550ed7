"""What others report for Fashion-MNIST, each with its source; none of it was measured here."""

from typing import NamedTuple

BOARD = "https://github.com/zalandoresearch/fashion-mnist#benchmark"


class Published(NamedTuple):
    """A reported test accuracy, 0 to 1, of a model with so many parameters, and where it stands."""

    name: str
    accuracy: float
    parameters: int | None
    source: str
    remark: str = ""
    link: str = BOARD


_BEFORE = "measured before the dataset was mended in 2017"
_BOARD = "the dataset's board"

_ERASING = "https://arxiv.org/abs/1708.04896"

PUBLISHED = (
    Published("MLP 256-128-64", 0.900, 242_762, f"{_BOARD}, @lianghong"),
    Published("Two convolutions under 100 k", 0.925, 100_000, f"{_BOARD}, @hardmaru"),
    Published("Two convolutions, 113 k", 0.922, 113_000, f"{_BOARD}, Abel G."),
    Published("Two convolutions, three linear layers", 0.932, 1_800_000, f"{_BOARD}, @Xfan1025"),
    Published("ResNet-18", 0.949, 11_200_000, f"{_BOARD}, Kyriakos Efthymiadis"),
    Published("Capsule network", 0.936, 8_000_000, f"{_BOARD}, @XifengGuo"),
    Published("VGG-16", 0.935, 26_000_000, f"{_BOARD}, @QuantumLiu"),
    Published("DenseNet-BC", 0.954, 768_000, f"{_BOARD}, @ajbrock", _BEFORE),
    Published("WRN-40-4", 0.967, 8_900_000, f"{_BOARD}, @ajbrock", _BEFORE),
    Published(
        "ResNet-20 with random erasing",
        0.9555,
        270_000,
        "Zhong et al. 2017",
        "today's data, 300 epochs",
        _ERASING,
    ),
    Published(
        "WRN-28-10 with random erasing",
        0.9580,
        36_500_000,
        "Zhong et al. 2017",
        "today's data",
        _ERASING,
    ),
    Published(
        "DARTS, fine-tuned",
        0.9691,
        None,
        "Tanveer, Khan, Kyung 2020",
        "the best claim that is credible",
        "https://arxiv.org/abs/2006.09042",
    ),
)
"""Parameters as published, or counted where the layers are known; None where neither can be."""
