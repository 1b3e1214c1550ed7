import torch

from fmnist import garments
from fmnist.augment import MAX_SHIFT, augment, flip, shift, sketch


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_flip_mirrors_about_half_and_leaves_the_rest() -> None:
    images = torch.rand(1000, 1, 28, 28)
    flipped = flip(images, seeded())
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(images, flipped, strict=True)]
    untouched = [torch.equal(a, b) for a, b in zip(images, flipped, strict=True)]
    assert all(m != u for m, u in zip(mirrored, untouched, strict=True))
    assert 400 < sum(mirrored) < 600


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


def test_the_generator_decides_everything() -> None:
    images = torch.rand(20, 1, 28, 28)
    names = ("flip", "shift")
    assert torch.equal(augment(images, names, seeded(1)), augment(images, names, seeded(1)))
    assert not torch.equal(augment(images, names, seeded(1)), augment(images, names, seeded(2)))
    assert torch.equal(augment(images, (), seeded()), images)


def test_sketch_redraws_about_half_as_lines_and_even_fills_and_leaves_the_rest() -> None:
    images, _ = garments.draw(400, seed=0)
    before = torch.tensor(images)[:, None] / 255
    after = sketch(before, seeded())
    untouched = (after == before).flatten(1).all(1)
    assert 150 < untouched.sum() < 250
    redrawn = after[~untouched]
    assert redrawn.min() >= 0
    assert redrawn.max() <= 1
    # Flat inside: far fewer shades than a garment with patterns, folds and light has.
    shades = [len(image.unique()) for image in (redrawn * 15).round().flatten(1)]
    of_garments = [len(image.unique()) for image in (before * 15).round().flatten(1)]
    assert sum(shades) / len(shades) < 0.8 * sum(of_garments) / len(of_garments)


def test_a_silhouette_stays_where_it_was_and_about_as_large() -> None:
    images, _ = garments.draw(200, seed=0)
    before = torch.tensor(images)[:, None] / 255
    after = sketch(before, seeded())
    overlap = ((before > 0.1) & (after > 0.1)).sum() / ((before > 0.1) | (after > 0.1)).sum()
    assert overlap > 0.6
