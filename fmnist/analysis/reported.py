"""What others report for Fashion-MNIST, each with its source; none of it was measured here."""

from typing import NamedTuple

BOARD = "https://github.com/zalandoresearch/fashion-mnist#benchmark"


class Reported(NamedTuple):
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

REPORTED = (
    Reported("MLP 256-128-64", 0.900, 242_762, f"{_BOARD}, @lianghong"),
    Reported("Two convolutions under 100 k", 0.925, 100_000, f"{_BOARD}, @hardmaru"),
    Reported("Two convolutions, 113 k", 0.922, 113_000, f"{_BOARD}, Abel G."),
    Reported("Two convolutions, three linear layers", 0.932, 1_800_000, f"{_BOARD}, @Xfan1025"),
    Reported("ResNet-18", 0.949, 11_200_000, f"{_BOARD}, Kyriakos Efthymiadis"),
    Reported("Capsule network", 0.936, 8_000_000, f"{_BOARD}, @XifengGuo"),
    Reported("VGG-16", 0.935, 26_000_000, f"{_BOARD}, @QuantumLiu"),
    Reported("DenseNet-BC", 0.954, 768_000, f"{_BOARD}, @ajbrock", _BEFORE),
    Reported("WRN-40-4", 0.967, 8_900_000, f"{_BOARD}, @ajbrock", _BEFORE),
    Reported(
        "ResNet-20 with random erasing",
        0.9555,
        270_000,
        "Zhong et al. 2017",
        "today's data, 300 epochs",
        _ERASING,
    ),
    Reported(
        "WRN-28-10 with random erasing",
        0.9580,
        36_500_000,
        "Zhong et al. 2017",
        "today's data",
        _ERASING,
    ),
    Reported(
        "DARTS, fine-tuned",
        0.9691,
        None,
        "Tanveer, Khan, Kyung 2020",
        "the best claim that is credible",
        "https://arxiv.org/abs/2006.09042",
    ),
)
"""Parameters as published, or counted where the layers are known; None where neither can be."""
