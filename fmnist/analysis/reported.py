"""What others report for Fashion-MNIST, each with its source; none of it was measured here."""

from typing import NamedTuple

from fmnist.words import Words

BOARD = "https://github.com/zalandoresearch/fashion-mnist#benchmark"


class Reported(NamedTuple):
    """A reported test accuracy, 0 to 1, of a model with so many parameters, and where it stands."""

    name: str
    accuracy: float
    parameters: int | None
    source: str
    remark: str = ""
    link: str = BOARD


_BEFORE = Words("measured before the dataset was mended in 2017")


def _board(by: str) -> Words:
    return Words("the dataset's board, {by}", by=by)


_ERASING = "https://arxiv.org/abs/1708.04896"

REPORTED = (
    Reported("MLP 256-128-64", 0.900, 242_762, _board("@lianghong")),
    Reported(Words("Two convolutions under 100 k"), 0.925, 100_000, _board("@hardmaru")),
    Reported(Words("Two convolutions, 113 k"), 0.922, 113_000, _board("Abel G.")),
    Reported(Words("Two convolutions, three linear layers"), 0.932, 1_800_000, _board("@Xfan1025")),
    Reported("ResNet-18", 0.949, 11_200_000, _board("Kyriakos Efthymiadis")),
    Reported(Words("Capsule network"), 0.936, 8_000_000, _board("@XifengGuo")),
    Reported("VGG-16", 0.935, 26_000_000, _board("@QuantumLiu")),
    Reported("DenseNet-BC", 0.954, 768_000, _board("@ajbrock"), _BEFORE),
    Reported("WRN-40-4", 0.967, 8_900_000, _board("@ajbrock"), _BEFORE),
    Reported(
        Words("ResNet-20 with random erasing"),
        0.9555,
        270_000,
        "Zhong et al. 2017",
        Words("today's data, 300 epochs"),
        _ERASING,
    ),
    Reported(
        Words("WRN-28-10 with random erasing"),
        0.9580,
        36_500_000,
        "Zhong et al. 2017",
        Words("today's data"),
        _ERASING,
    ),
    Reported(
        Words("DARTS, fine-tuned"),
        0.9691,
        None,
        "Tanveer, Khan, Kyung 2020",
        Words("the best claim that is credible"),
        "https://arxiv.org/abs/2006.09042",
    ),
)
"""Parameters as published, or counted where the layers are known; None where neither can be."""
