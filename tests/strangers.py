"""Models as others write them, and the files they save them in."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import safetensors.torch
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from fmnist.models import MODELS

PREPROCESS = {
    "0..1": lambda pixels: pixels / 255,
    "0..255": lambda pixels: pixels,
    "standardised": lambda pixels: (pixels / 255 - 0.2860) / 0.3530,
    "-1..1": lambda pixels: pixels / 127.5 - 1,
}
PREPROCESS |= {
    f"{name}, dark on white": lambda pixels, upright=upright: upright(255 - pixels)
    for name, upright in PREPROCESS.items()
}
"""What a stranger does to pixels, 0 to 255 on black, before the model sees them."""


class Perceptron(nn.Module):
    """784-512-256-10, log-softmax at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.out = nn.Linear(784, 512), nn.Linear(512, 256), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.fc2(self.fc1(x.flatten(1)).relu()).relu()
        return self.out(hidden).log_softmax(1)


class Convolutions(nn.Module):
    """Two convolutions and three linear layers, their names in another order than the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {
                "1": nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
                "2": nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            }
        )
        self.classifier = nn.Sequential(
            nn.Linear(1568, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features["2"](self.features["1"](x)).flatten(1))


class Rows(nn.Module):
    """Two recurrent layers in one module, which reads the rows."""

    def __init__(self, cell: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.rnn = cell(28, 128, num_layers=2, batch_first=True)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x.squeeze(1))[0][:, -1])


STRANGERS = {
    "fcnn": Perceptron,
    "cnn": Convolutions,
    "lstm": lambda: Rows(nn.LSTM),
    "gru": lambda: Rows(nn.GRU),
}
"""By the architecture here that they are without knowing."""


def stranger(architecture: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return STRANGERS[architecture]().eval()


def said(model: nn.Module, images: NDArray[np.uint8], reads: str) -> NDArray[np.float32]:
    """What a stranger answers (N, 10) to images uint8 (N, 28, 28), by its own preprocessing."""
    with torch.inference_mode():
        return model(torch.tensor(PREPROCESS[reads](images[:, None].astype(np.float32)))).numpy()


def normalised(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-probabilities: what logits say whatever was added to all ten."""
    return torch.tensor(logits).log_softmax(1).numpy()


def folded(first: Tensor, bias: Tensor, reads: str) -> tuple[Tensor, Tensor]:
    """A layer after `Standardize`, weight and bias, as it has to be for pixels read otherwise."""
    black, white = PREPROCESS[reads](np.array([0.0, 255.0]))
    # With theirs u = black + (white - black) x, ours is z = (x - 0.286) / 0.353.
    scale = 1 / ((white - black) * 0.3530)
    offset = -(black / (white - black) + 0.2860) / 0.3530
    return first.double() * scale, bias.double() + first.double().sum(1) * offset


def pickled(value: object) -> bytes:
    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


def saved(tensors: Mapping[str, Tensor], suffix: str) -> bytes:
    """A state dict as a file."""
    if suffix != ".safetensors":
        return pickled(dict(tensors))
    return safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()})


def graph(
    nodes: Sequence[onnx.NodeProto],
    constants: Mapping[str, NDArray[Any]],
    shape: Sequence[object] = ("N", 784),
    dtype: int = TensorProto.FLOAT,
    outputs: Mapping[str, int] = {"y": TensorProto.FLOAT},
    inputs: Sequence[str] = ("x",),
) -> onnx.ModelProto:
    """A model of nodes from x to y."""
    return helper.make_model(
        helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info(name, dtype, shape) for name in inputs],
            [
                helper.make_tensor_value_info(name, kind, None)
                if kind
                else onnx.ValueInfoProto(name=name)
                for name, kind in outputs.items()
            ],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
    )


def perceptron_graph(
    tensors: Mapping[str, Tensor],
    shape: Sequence[object] = ("N", 784),
    dtype: int = TensorProto.FLOAT,
    end: str = "Identity",
) -> bytes:
    """The graph of a `Perceptron`'s state dict up to its logits and `end`."""
    constants = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    nodes = [
        helper.make_node("Cast", ["x"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["cast"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc1.weight", "fc1.bias"], ["a"], transB=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "fc2.weight", "fc2.bias"], ["c"], transB=1),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "out.weight", "out.bias"], ["e"], transB=1),
        helper.make_node(end, ["e"], ["y"]),
    ]
    return graph(nodes, constants, shape, dtype).SerializeToString()


def one_who_sees_bags() -> nn.Module:
    """The fcnn of the registry, which calls everything a bag."""
    model = MODELS["fcnn"].seeded(0)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(10 * torch.eye(10)[8])
    return model
