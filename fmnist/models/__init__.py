"""Every architecture: one literal mapping from a name to how the model is built and trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import torch
from torch import nn

from fmnist.models.cnn import ConvNet, StridedNet
from fmnist.models.fcnn import FullyConnected
from fmnist.models.layers import Classifier
from fmnist.models.recipe import Recipe
from fmnist.models.residual import ResidualNet
from fmnist.models.resnet import ResNet
from fmnist.models.rnn import RowColumnReader, RowReader
from fmnist.words import Words

Family = Literal["fcnn", "cnn", "rnn"]

FAMILIES: Mapping[Family, str] = MappingProxyType(
    {"fcnn": Words("Fully connected"), "cnn": Words("Convolutional"), "rnn": Words("Recurrent")}
)


@dataclass(frozen=True)
class ModelSpec:
    """An architecture by name: what it is, its network untrained, and its shipped recipe."""

    name: str
    title: Words
    family: Family
    summary: Words
    network: Callable[[], Classifier]
    recipe: Recipe

    def build(self) -> Classifier:
        """The network, its filters laid out so that a CPU answers up to twice as fast."""
        return self.network().to(memory_format=torch.channels_last)

    def seeded(self, seed: int) -> Classifier:
        """The model with initial weights drawn from the seed."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            return self.build()


# The recipes of one family differ in little, so what they share has a name.
_LINEAR = Recipe(epochs=40, lr=1e-3, weight_decay=0.05, label_smoothing=0.05, augment=("flip",))
_CONVOLUTIONAL = Recipe(epochs=12, lr=3e-3, weight_decay=0.05, label_smoothing=0.05)
_RECURRENT = Recipe(
    epochs=16,
    lr=0.02,
    weight_decay=0.02,
    label_smoothing=0.05,
    augment=("flip", "erase"),
    optimizer="muon",
)
_RESIDUAL = Recipe(epochs=30, lr=0.03, weight_decay=0.02, label_smoothing=0.05, optimizer="muon")
_TAUGHT = replace(_RESIDUAL, epochs=48, teacher="residual")
_MIXED = replace(_RESIDUAL, averaging=0.999, mixing=0.5)

_SPECS = (
    ModelSpec(
        name="fcnn",
        title=Words("Fully connected 784-512-256-10"),
        family="fcnn",
        summary=Words(
            "Three linear layers with ReLU and dropout 0.2, as in "
            "Fashion-MNIST-Image-Classification by NvsYashwanth; 89.56 % is reported. "
            "Sees pixels, not neighbours."
        ),
        network=lambda: FullyConnected([512, 256], dropout=0.2),
        recipe=_LINEAR,
    ),
    ModelSpec(
        name="softmax",
        title=Words("Softmax regression 784-10"),
        family="fcnn",
        summary=Words(
            "A weight for every pixel and class, and no hidden layer (Cox 1958): what every first "
            "lesson begins with. The dataset's benchmark reports 84.2 %."
        ),
        network=lambda: FullyConnected([], dropout=0.0),
        recipe=replace(_LINEAR, epochs=20, weight_decay=0.01, label_smoothing=0.0, augment=()),
    ),
    ModelSpec(
        name="fcnn-128",
        title=Words("Fully connected 784-128-10"),
        family="fcnn",
        summary=Words(
            "One hidden layer, as in Basic classification by TensorFlow, the first tutorial of "
            "Keras; 88.3 % is reported."
        ),
        network=lambda: FullyConnected([128], dropout=0.0),
        recipe=replace(_LINEAR, epochs=20),
    ),
    ModelSpec(
        name="fcnn-512",
        title=Words("Fully connected 784-512-512-10"),
        family="fcnn",
        summary=Words("The network of the Quickstart by PyTorch, trained longer than there."),
        network=lambda: FullyConnected([512, 512], dropout=0.0),
        recipe=replace(_LINEAR, epochs=20),
    ),
    ModelSpec(
        name="fcnn-small",
        title=Words("Fully connected 784-128-64-10"),
        family="fcnn",
        summary=Words(
            "The network of many first lessons (Rumelhart, Hinton, Williams 1986), with dropout "
            "0.25; a notebook reports 87.42 %."
        ),
        network=lambda: FullyConnected([128, 64], dropout=0.25),
        recipe=replace(_LINEAR, epochs=20),
    ),
    ModelSpec(
        name="fcnn-deep",
        title=Words("Fully connected 784-392-196-98-49-10"),
        family="fcnn",
        summary=Words(
            "Each of five layers is half as wide as the one before, with dropout 0.25 (Srivastava "
            "et al. 2014); a notebook reports 88.65 %."
        ),
        network=lambda: FullyConnected([392, 196, 98, 49], dropout=0.25),
        recipe=replace(_LINEAR, epochs=20),
    ),
    ModelSpec(
        name="fcnn-wide",
        title=Words("Fully connected 784-1024-1024-10"),
        family="fcnn",
        summary=Words(
            "Two wide layers with dropout 0.2, taught by a residual network (Hinton, Vinyals, Dean "
            "2015)."
        ),
        network=lambda: FullyConnected([1024, 1024], dropout=0.2),
        recipe=replace(_LINEAR, epochs=60, teacher="residual"),
    ),
    ModelSpec(
        name="fcnn-normalized",
        title=Words("Fully connected 784-1024-1024-1024-10, normalised"),
        family="fcnn",
        summary=Words(
            "Our best without convolutions: three wide layers with batch normalisation (Ioffe, "
            "Szegedy 2015), shifted images, and a residual network as the teacher."
        ),
        network=lambda: FullyConnected([1024] * 3, dropout=0.1, normalized=True),
        recipe=replace(
            _LINEAR,
            epochs=300,
            lr=2e-3,
            augment=("flip", "shift"),
            averaging=0.999,
            teacher="residual-300k",
        ),
    ),
    ModelSpec(
        name="cnn",
        title=Words("Two convolutions, three linear layers"),
        family="cnn",
        summary=Words(
            "3x3 filters, 16 then 32, each with pooling, then 1568-512-256-10, dropout 0.2, as in "
            "Fashion-MNIST-Image-Classification by NvsYashwanth; 91.66 % is reported."
        ),
        network=lambda: ConvNet([(3, 1, 16), (3, 1, 32)], [512, 256], dropout=0.2),
        recipe=replace(_CONVOLUTIONAL, epochs=30),
    ),
    ModelSpec(
        name="lenet-5",
        title=Words("LeNet-5"),
        family="cnn",
        summary=Words(
            "5x5 filters, 6 then 16, each with pooling, then 400-120-84-10 (LeCun et al. 1998), "
            "with ReLU and max pooling. With sigmoids, Dive into Deep Learning reports 77.9 %."
        ),
        network=lambda: ConvNet([(5, 2, 6), (5, 0, 16)], [120, 84], dropout=0.0),
        recipe=replace(_CONVOLUTIONAL, epochs=20),
    ),
    ModelSpec(
        name="tinyvgg",
        title=Words("TinyVGG"),
        family="cnn",
        summary=Words(
            "Twice two 3x3 convolutions of 10 channels and pooling, then 490-10: the network of "
            "CNN Explainer (Wang et al. 2020), as in Learn PyTorch for Deep Learning; 88.38 % is "
            "reported."
        ),
        network=lambda: ConvNet([(3, 1, 10), (3, 1, 10)], [], dropout=0.0, depth=2),
        recipe=replace(_CONVOLUTIONAL, epochs=20),
    ),
    ModelSpec(
        name="cnn-keras",
        title=Words("Two convolutions, two linear layers"),
        family="cnn",
        summary=Words(
            "3x3 filters, 32 then 64, each with pooling, then 3136-128-10, as in Intro to "
            "TensorFlow for Deep Learning by Udacity, in Keras; 91 % is reported."
        ),
        network=lambda: ConvNet([(3, 1, 32), (3, 1, 64)], [128], dropout=0.0),
        recipe=_CONVOLUTIONAL,
    ),
    ModelSpec(
        name="cnn-strided",
        title=Words("Three convolutions with strides"),
        family="cnn",
        summary=Words(
            "5x5 filters, 24, 48 and 64, with strides 1, 2 and 3 in place of pooling (Springenberg "
            "et al. 2014), then 1600-200-10; a notebook reports 90.0 %."
        ),
        network=lambda: StridedNet([(5, 1, 24), (5, 2, 48), (5, 3, 64)], 200, dropout=0.0),
        recipe=_CONVOLUTIONAL,
    ),
    ModelSpec(
        name="cnn-normalized",
        title=Words("Three convolutions with strides and batch normalisation"),
        family="cnn",
        summary=Words(
            "Filters of 6x6, 5x5 and 4x4 with strides 1, 2 and 2, then 3136-200-10, dropout 0.4: "
            "the network of TensorFlow and deep learning without a PhD (Martin Görner, 2017)."
        ),
        network=lambda: StridedNet(
            [(6, 1, 24), (5, 2, 48), (4, 2, 64)], 200, dropout=0.4, normalized=True
        ),
        recipe=_CONVOLUTIONAL,
    ),
    ModelSpec(
        name="residual-100k",
        title=Words("Residual network under 100,000 parameters"),
        family="cnn",
        summary=Words(
            "Two residual blocks (He et al. 2015) of 32 and 56 channels, trained by Muon."
        ),
        network=lambda: ResidualNet([32, 56]),
        recipe=replace(_TAUGHT, epochs=120, averaging=0.999, teacher="residual-300k"),
    ),
    ModelSpec(
        name="residual-300k",
        title=Words("Residual network under 300,000 parameters"),
        family="cnn",
        summary=Words(
            "Two residual blocks (He et al. 2015) of 64 and 96 channels, trained by Muon."
        ),
        network=lambda: ResidualNet([64, 96]),
        recipe=replace(_TAUGHT, epochs=150, augment=("flip", "shift", "erase")),
    ),
    ModelSpec(
        name="residual",
        title=Words("Residual network of three stages"),
        family="cnn",
        summary=Words(
            "Three residual blocks (He et al. 2015) of 64 to 256 channels, trained on images that "
            "have parts of others (CutMix, Yun et al. 2019)."
        ),
        network=lambda: ResidualNet([64, 128, 256]),
        recipe=replace(_MIXED, epochs=75),
    ),
    ModelSpec(
        name="resnet-20",
        title=Words("ResNet-20"),
        family="cnn",
        summary=Words(
            "Nine residual blocks (He et al. 2015) of 16 to 64 channels, the first three of which "
            "see every pixel. For 272,000 parameters, 95.55 % is reported."
        ),
        network=lambda: ResNet([16, 32, 64]),
        recipe=replace(_RESIDUAL, epochs=100, averaging=0.999, augment=("flip", "shift", "erase")),
    ),
    ModelSpec(
        name="resnet-20-wide",
        title=Words("ResNet-20, twice as wide"),
        family="cnn",
        summary=Words(
            "Nine residual blocks (He et al. 2015) of 32 to 120 channels, trained on images that "
            "have parts of others (CutMix, Yun et al. 2019)."
        ),
        network=lambda: ResNet([32, 64, 120]),
        recipe=replace(_MIXED, epochs=45),
    ),
    ModelSpec(
        name="everyday",
        title=Words("Residual network for everyday pictures"),
        family="cnn",
        summary=Words(
            "Three residual blocks (He et al. 2015) of 64, 112 and 156 channels, which see a "
            "picture and its mirror image. Most of what it trains on are garments as people draw "
            "and photograph them."
        ),
        network=lambda: ResidualNet([64, 112, 156], mirrored=True),
        recipe=replace(
            _TAUGHT,
            epochs=26,
            averaging=0.999,
            teacher="residual-300k",
            augment=("flip", "shift", "erase"),
            everyday=1.0,
            people=1.45,
        ),
    ),
    ModelSpec(
        name="lstm",
        title=Words("LSTM over rows"),
        family="rnn",
        summary=Words(
            "Two LSTM layers of 128 (Hochreiter, Schmidhuber 1997) read the 28 rows downwards; the "
            "last state answers."
        ),
        network=lambda: RowReader(nn.LSTM, hidden=128, dropout=0.2),
        recipe=_RECURRENT,
    ),
    ModelSpec(
        name="gru",
        title=Words("GRU over rows"),
        family="rnn",
        summary=Words(
            "Two GRU layers of 128 (Cho et al. 2014) read the 28 rows downwards; the last state "
            "answers."
        ),
        network=lambda: RowReader(nn.GRU, hidden=128, dropout=0.2),
        recipe=_RECURRENT,
    ),
    ModelSpec(
        name="bilstm",
        title=Words("Bidirectional LSTM over rows"),
        family="rnn",
        summary=Words(
            "Two layers of 96 each way (Schuster, Paliwal 1997); the last state of each way "
            "answers."
        ),
        network=lambda: RowReader(nn.LSTM, hidden=96, dropout=0.2, both_ways=True),
        recipe=_RECURRENT,
    ),
    ModelSpec(
        name="rows-columns",
        title=Words("LSTMs over rows and columns with attention"),
        family="rnn",
        summary=Words(
            "Reads rows and columns both ways and weighs the steps by attention (Bahdanau, Cho, "
            "Bengio 2014). No convolution before the recurrence."
        ),
        network=lambda: RowColumnReader(hidden=80, dropout=0.25),
        recipe=replace(
            _RECURRENT,
            epochs=80,
            averaging=0.999,
            augment=("flip", "shift", "erase"),
            teacher="residual-300k",
        ),
    ),
)

MODELS: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
