"""What small files that others might have written come to, each showing one thing."""

from pathlib import Path

import pytest
import torch

from fmnist.data import splits
from fmnist.models import inference
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError

OPEN = (
    "01_torch_compile_prefix.pt",
    "02_lightning_with_loss_weights.ckpt",
    "03_state_dict_under_net.pth",
    "04_numpy_scalar_beside.pth",
    "05_numpy_arrays.pth",
    "06_parameters_requires_grad.pt",
    "07_nested_twice.pt",
    "10_torch_file_named_h5.h5",
    "20_onnx_plain.onnx",
    "24_onnx_logits_and_probs.onnx",
    "25_onnx_label_and_probs.onnx",
    "27_onnx_784_rank1.onnx",
    "28_onnx_28x28_no_batch.onnx",
    "29_onnx_int64_pixels.onnx",
    "30_onnx_all_dims_symbolic.onnx",
    # Its weights are those of the others: it takes three channels for three images of one.
    "31_onnx_3_channels_random.onnx",
)
NAME_NOTHING = (
    "11_quickstart_mlp_random.pth",
    "12_two_convs_random.pth",
)
REFUSED = {
    "09_git_lfs_pointer.pth": "git lfs pull",
    "21_onnx_ir_version_99.onnx": "IR version is 99",
    "22_onnx_opset_99.onnx": "Opset version is 99",
    "26_onnx_label_only.onnx": "with the probabilities of all 10",
}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", OPEN)
def test_one_network_in_many_clothes_has_the_same_figure(name: str, strangers_folder: Path) -> None:
    model, card = shelf.open((strangers_folder / name).read_bytes(), name)
    test = splits.load("test", "real")
    predictions = inference.infer(model, test.images, torch.device("cpu")).argmax(1)
    assert (predictions == test.labels).mean() == pytest.approx(0.8783, abs=2e-4)
    assert card.doubt is None


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("name", NAME_NOTHING)
def test_random_weights_open_and_are_said_to_name_no_garments(
    name: str, strangers_folder: Path
) -> None:
    _, card = shelf.open((strangers_folder / name).read_bytes(), name)
    assert "names no garments" in str(card.doubt)


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_read_is_refused_with_what_to_do(name: str, strangers_folder: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        shelf.open((strangers_folder / name).read_bytes(), name)
    assert REFUSED[name] in str(caught.value)
