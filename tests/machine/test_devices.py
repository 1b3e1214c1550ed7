import pytest
import torch

from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_cuda_is_chosen_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for present, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda present=present: present)
        assert devices.choose().type == expected


def test_a_choice_wins_over_the_environment_and_that_over_automatic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("FMNIST_DEVICE", "cpu")
    assert devices.choose().type == "cpu"
    assert devices.choose("cuda").type == "cuda"


def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserFacingError, match="no usable CUDA"):
        devices.choose("cuda")
    with pytest.raises(UserFacingError, match="choose auto, cpu or cuda"):
        devices.choose("tpu")


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "ran out of memory"),
        (torch.AcceleratorError("device lost"), "failed"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"), "failed"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), "failed"),
    ],
)
def test_a_failing_gpu_hands_over_to_the_cpu_with_a_notice(error: Exception, word: str) -> None:
    notices: list[str] = []

    def compute(device: torch.device) -> str:
        if device.type == "cuda":
            raise error
        return "answer"

    assert devices.or_cpu(compute, CUDA, notices.append) == ("answer", CPU)
    assert len(notices) == 1
    assert word in notices[0]


def test_other_errors_and_errors_of_the_cpu_are_not_hidden() -> None:
    def broken(device: torch.device) -> None:
        raise ValueError("a bug")

    def exhausted(device: torch.device) -> None:
        raise torch.OutOfMemoryError

    def wrong(device: torch.device) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(ValueError, match="a bug"):
        devices.or_cpu(broken, CUDA, print)
    with pytest.raises(RuntimeError, match="shapes"):
        devices.or_cpu(wrong, CUDA, print)
    with pytest.raises(torch.OutOfMemoryError):
        devices.or_cpu(exhausted, CPU, print)


def test_a_device_is_described_in_words() -> None:
    assert "CPU" in devices.describe(CPU)
