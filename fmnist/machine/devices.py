"""Where the numbers are computed: CUDA when there is one, else the CPU."""

import os
import re
from collections.abc import Callable
from typing import Literal, TypeVar

import torch

from fmnist.machine.errors import UserFacingError
from fmnist.words import Words

Result = TypeVar("Result")
Preference = Literal["auto", "cpu", "cuda"]
PREFERENCES: tuple[Preference, ...] = ("auto", "cpu", "cuda")


def choose(preference: str = "auto") -> torch.device:
    """The device for a preference of auto, cpu or cuda; FMNIST_DEVICE stands in for auto.

    Raises UserFacingError for another word, and for cuda where there is none.
    """
    if preference == "auto":
        preference = os.environ.get("FMNIST_DEVICE") or "auto"
    if preference not in PREFERENCES:
        raise UserFacingError(
            "{preference!r} is not a device: choose auto, cpu or cuda.", preference=preference
        )
    if preference == "cuda" and not torch.cuda.is_available():
        raise UserFacingError("There is no usable CUDA device here: choose auto or cpu.")
    cuda = preference != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if cuda else "cpu")


def describe(device: torch.device) -> str:
    """The device in words, for people and for a card."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    name = torch.cpu.get_capabilities()["cpu_name"]
    return Words(
        "{name} CPU, {n} thread", "{name} CPU, {n} threads", name=name, n=torch.get_num_threads()
    )


def accelerates_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 runs in hardware there; emulated, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def or_cpu(
    compute: Callable[[torch.device], Result],
    device: torch.device,
    notify: Callable[[Words], object],
) -> tuple[Result, torch.device]:
    """`compute(device)` and the device that did it; where CUDA fails, notify and use the CPU."""
    try:
        return compute(device), device
    except RuntimeError as error:
        # cuBLAS and cuDNN raise no class of their own.
        of_cuda = isinstance(error, torch.OutOfMemoryError | torch.AcceleratorError)
        if device.type == "cpu" or not (of_cuda or re.search("CUDA|CUBLAS|cuDNN", str(error))):
            raise
        notice = (
            Words("The GPU ran out of memory, so the CPU has taken over.")
            if isinstance(error, torch.OutOfMemoryError)
            else Words("The GPU failed, so the CPU has taken over.")
        )
    notify(notice)
    cpu = torch.device("cpu")
    return compute(cpu), cpu
