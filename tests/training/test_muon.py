import copy

import pytest
import torch

from fmnist.training.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (6, 30), (30, 6)])
def test_orthogonal_keeps_the_singular_vectors_and_brings_the_values_near_one(shape) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    made = orthogonal(matrix)
    in_its_axes = left.T @ made @ right.T
    assert in_its_axes.diagonal().min() > 0.5
    assert in_its_axes.diagonal().max() < 1.3
    off_axis = in_its_axes - in_its_axes.diagonal().diag()
    assert off_axis.abs().max() < 0.05  # where it is quick, it is computed in bfloat16


def test_what_is_no_matrix_is_updated_as_adam_does() -> None:
    ours, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2))
    muon = Muon([{"params": [ours], "matrix": False}], lr=0.1)
    adam = torch.optim.Adam([theirs], lr=0.1)
    for _ in range(5):
        for parameter, optimizer in ((ours, muon), (theirs, adam)):
            optimizer.zero_grad()
            (parameter**4 + parameter).sum().backward()
            optimizer.step()
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_filters_move_by_the_learning_rate_whatever_the_size_of_their_gradient() -> None:
    steps = []
    for scale in (1e-4, 1e4):
        filters = torch.nn.Parameter(torch.zeros(4, 2, 3, 3))
        filters.grad = scale * torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(0))
        Muon([{"params": [filters]}], lr=0.1).step()
        steps.append(filters.detach().flatten(1))
    assert torch.allclose(*steps, atol=5e-3)
    assert torch.linalg.svdvals(steps[0]).max() == pytest.approx(0.1, rel=0.3)


def test_decay_shrinks_what_has_no_gradient_to_speak_of() -> None:
    matrix = torch.nn.Parameter(torch.eye(3))
    matrix.grad = torch.zeros(3, 3)
    Muon([{"params": [matrix], "weight_decay": 0.5}], lr=0.1).step()
    assert torch.allclose(matrix, 0.95 * torch.eye(3))


def test_its_state_comes_back_from_a_checkpoint() -> None:
    def step(parameters: list[torch.nn.Parameter], muon: Muon) -> None:
        for parameter in parameters:
            parameter.grad = parameter.detach() ** 2 + 1
        muon.step()

    def made(values: list[torch.Tensor]) -> tuple[list[torch.nn.Parameter], Muon]:
        parameters = [torch.nn.Parameter(value.clone()) for value in values]
        groups = [{"params": parameters[:1]}, {"params": parameters[1:], "matrix": False}]
        return parameters, Muon(groups, lr=0.1)

    parameters, muon = made([torch.eye(3), torch.ones(3)])
    step(parameters, muon)
    copies, copied = made([parameter.detach() for parameter in parameters])
    copied.load_state_dict(copy.deepcopy(muon.state_dict()))
    step(parameters, muon)
    step(copies, copied)
    assert all(torch.equal(a, b) for a, b in zip(parameters, copies, strict=True))
