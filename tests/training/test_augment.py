import numpy as np
import pytest
import torch

from fmnist.models.recipe import AUGMENTATIONS
from fmnist.training.augment import (
    ERASED,
    MAX_SHIFT,
    RANDOM,
    alternating,
    augment,
    erase,
    flip,
    mix,
    shift,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_flip_mirrors_the_images_that_it_is_told_to_and_leaves_the_rest() -> None:
    images, mirrored = torch.rand(1000, 1, 28, 28), torch.rand(1000) < 0.5
    for before, after, turned in zip(images, flip(images, mirrored), mirrored, strict=True):
        assert torch.equal(after, before.flip(-1) if turned else before)


def test_two_epochs_show_each_image_from_both_sides() -> None:
    sides = torch.rand(1000) < 0.5
    for epoch in range(4):
        now, then = alternating(sides, epoch), alternating(sides, epoch + 1)
        assert (now != then).all()
        assert torch.equal(now, alternating(sides, epoch + 2))
    assert torch.equal(alternating(sides, 0), sides)


def test_shift_moves_each_image_as_a_roll_with_black_edges_would() -> None:
    images = torch.zeros(200, 1, 28, 28)
    images[:, :, 10:18, 9:17] = torch.rand(200, 1, 8, 8) + 0.1
    moves = set()
    for before, after in zip(images, shift(images, seeded()), strict=True):
        down = int(after[0].sum(1).nonzero()[0]) - 10
        right = int(after[0].sum(0).nonzero()[0]) - 9
        assert torch.equal(after, before.roll((down, right), (1, 2)))
        moves.add((down, right))
    reach = range(-MAX_SHIFT, MAX_SHIFT + 1)
    assert moves == {(down, right) for down in reach for right in reach}


def test_what_leaves_the_frame_is_lost_and_what_enters_is_black() -> None:
    shifted = shift(torch.ones(300, 1, 28, 28), seeded())
    sums = {int(total) for total in shifted.sum((1, 2, 3))}
    sides = range(28 - MAX_SHIFT, 29)
    assert sums == {height * width for height in sides for width in sides}


def test_erase_puts_noise_over_one_rectangle_of_about_half_of_the_images() -> None:
    images = torch.full((2000, 1, 28, 28), 2.0)
    erased = (erase(images, seeded()) != 2)[:, 0]
    shares = []
    for mask in erased[erased.any((1, 2))]:
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
        assert mask.sum() == height * width
        shares.append(height * width / 28**2)
    assert 900 < len(shares) < 1100
    assert min(shares) < 2 * ERASED[0]
    assert 0.8 * ERASED[1] < max(shares) < 1.2 * ERASED[1]


def test_what_is_erased_is_noise_and_what_is_not_stays() -> None:
    images = torch.rand(500, 1, 28, 28) + 2
    erased = erase(images, seeded())
    changed = erased != images
    assert 0.45 < erased[changed].mean() < 0.55
    assert erased[changed].min() >= 0
    assert erased[changed].max() <= 1


def test_mixing_puts_one_rectangle_of_the_neighbour_and_its_share_of_the_target() -> None:
    images = torch.arange(1000.0).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    mixed, targets = mix(images, torch.eye(1000), 0.5, seeded())
    shares = []
    for place, image in enumerate(mixed[:, 0]):
        theirs = image == (place - 1) % 1000
        assert torch.equal(image != place, theirs)
        if theirs.any():
            rows, columns = theirs.any(1).sum(), theirs.any(0).sum()
            assert theirs.sum() == rows * columns
            assert rows == columns
            shares.append(float(theirs.sum()) / 28**2)
        assert targets[place, place - 1] == pytest.approx(float(theirs.float().mean()))
        assert targets[place, place] == pytest.approx(float((~theirs).float().mean()))
    assert 400 < len(shares) < 560
    assert np.quantile(shares, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)
    assert torch.allclose(targets.sum(1), torch.ones(1000))


def test_without_a_share_nothing_is_mixed_and_with_all_every_image_is() -> None:
    images, targets = torch.rand(200, 1, 28, 28), torch.eye(200)
    assert torch.equal(mix(images, targets, 0.0, seeded())[0], images)
    assert (mix(images, targets, 1.0, seeded())[0] != images).any((1, 2, 3)).all()


def test_the_generator_decides_everything() -> None:
    images, mirrored = torch.rand(20, 1, 28, 28), torch.rand(20) < 0.5

    def augmented(names: tuple[str, ...], seed: int) -> torch.Tensor:
        return augment(images, names, mirrored, seeded(seed))

    names = ("flip", "shift", "erase")
    assert torch.equal(augmented(names, 1), augmented(names, 1))
    assert not torch.equal(augmented(names, 1), augmented(names, 2))
    assert torch.equal(augmented((), 0), images)


def test_every_augmentation_of_a_recipe_is_there() -> None:
    assert set(AUGMENTATIONS) == {"flip", *RANDOM}
