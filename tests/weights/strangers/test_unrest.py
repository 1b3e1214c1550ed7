import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fmnist.data.splits import Split
from fmnist.models.layers import Classifier, Standardize
from fmnist.weights.strangers.unrest import unrest


class Small(Classifier):
    """Four quarters of a picture, sixteen units, ten answers."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.standardize = nn.Identity()
        self.body = nn.Sequential(nn.AvgPool2d(14), nn.Flatten(), nn.Linear(4, 16), activation)
        self.head = nn.Linear(16, 10)

    def features(self, images: Tensor) -> Tensor:
        return self.body(images)


@pytest.fixture(scope="module")
def split() -> Split:
    """Pictures of four grey quarters; of which class they are, these tell, but not always."""
    random = np.random.default_rng(0)
    quarters = random.integers(0, 256, (1000, 2, 2), np.uint8)
    images = quarters.repeat(14, axis=1).repeat(14, axis=2)
    scores = (quarters.reshape(1000, 4) / 255 - 0.5) @ random.normal(size=(4, 10))
    labels = (scores + random.gumbel(scale=0.3, size=scores.shape)).argmax(1)
    return Split(images, labels.astype(np.uint8))


@pytest.fixture(scope="module")
def trained(split: Split) -> Small:
    torch.manual_seed(0)
    model = Small(nn.Tanh())
    pixels = torch.tensor(split.images)[:, None] / 255
    labels = torch.tensor(split.labels).long()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(300):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pixels), labels).backward()
        optimizer.step()
    return model.eval()


def test_a_trained_network_rests_and_one_that_is_wired_otherwise_does_not(
    split: Split, trained: Small
) -> None:
    other = Small(nn.ReLU())
    other.load_state_dict(trained.state_dict())
    assert unrest(trained, split) < 0.1
    assert unrest(other, split) > 0.4


def test_a_softmax_inside_is_learned_with_and_so_rests_too(split: Split) -> None:
    """Far too sure for one cross-entropy, which all pictures would then change in one way."""
    torch.manual_seed(0)
    model = Small(nn.Tanh())
    pixels = torch.tensor(split.images)[:, None] / 255
    labels = torch.tensor(split.labels).long()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(600):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(pixels).softmax(1), labels).backward()
        optimizer.step()
    assert unrest(model, split) < 0.2


def test_what_has_no_parameters_has_no_unrest(split: Split) -> None:
    class Fixed(Classifier):
        def __init__(self) -> None:
            super().__init__()
            self.standardize, self.head = Standardize(), nn.Identity()

        def features(self, images: Tensor) -> Tensor:
            return images.flatten(1)[:, :10]

    assert unrest(Fixed(), split) == 0
