"""What a run's weights were after its epochs, in half precision: to watch how it learned."""

import math

import safetensors.torch
from torch import Tensor

from fmnist.machine.files import write_whole
from fmnist.models.layers import Classifier
from fmnist.runs.run import Run
from fmnist.training.loop import Checkpoint

MOST_BYTES = 40e6
"""What all kept epochs of a run may take; of a run that would need more, not every one is kept."""


def keep(run: Run, state: Checkpoint, epoch: int) -> None:
    """Write the weights that were judged after an epoch, if it is one of those kept.

    Raises OSError.
    """
    prefix = "module."
    judged = {
        name.removeprefix(prefix): tensor
        for name, tensor in (state.mean or state.model).items()
        if not state.mean or name.startswith(prefix)
    }
    small = {name: _halved(tensor) for name, tensor in judged.items()}
    bytes_of_all = run.plan.recipe.epochs * sum(tensor.nbytes for tensor in small.values())
    every = math.ceil(bytes_of_all / MOST_BYTES)
    if epoch % every == 0 or epoch in (1, run.plan.recipe.epochs):
        folder = run.folder / "epochs"
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{epoch:04}.safetensors", safetensors.torch.save(small))


def kept(run: Run) -> list[int]:
    """The epochs whose weights are there, in order."""
    return sorted(int(path.stem) for path in (run.folder / "epochs").glob("*.safetensors"))


def model(run: Run, epoch: int) -> Classifier:
    """The model as it was after that epoch, ready to answer; raises OSError where it isn't kept."""
    content = (run.folder / "epochs" / f"{epoch:04}.safetensors").read_bytes()
    found = run.plan.spec.build()
    found.load_state_dict(safetensors.torch.load(content))
    return found.eval()


def _halved(tensor: Tensor) -> Tensor:
    small = tensor.half() if tensor.is_floating_point() else tensor
    return small.contiguous().cpu()
