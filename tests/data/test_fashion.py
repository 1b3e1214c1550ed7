import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import FashionMNIST

from fmnist.data import fashion, splits
from fmnist.data.fashion import FILES, DataError, PublishedFile
from fmnist.pictures import encode


def idx(array: np.ndarray) -> bytes:
    """An array as an IDX file, written out by hand."""
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of 40 training and 20 test images that passes for the published one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    rng = np.random.default_rng(0)
    files = {}
    for kind, count in (("train", 40), ("test", 20)):
        arrays = {
            "images": rng.integers(0, 256, (count, 28, 28), np.uint8),
            "labels": np.arange(count, dtype=np.uint8) % 10,
        }
        for part, array in arrays.items():
            content = gzip.compress(idx(array))
            published = FILES[f"{kind} {part}"]
            (folder / published.name).write_bytes(content)
            md5 = hashlib.md5(content).hexdigest()
            files[f"{kind} {part}"] = PublishedFile(published.name, len(content), md5)
    monkeypatch.setattr(fashion, "FILES", files)
    monkeypatch.setattr(splits, "VALIDATION_PER_CLASS", 1)
    monkeypatch.setenv("FMNIST_DATA", str(folder))
    return folder


def test_files_directly_in_the_folder_or_under_raw_are_found(tiny: Path) -> None:
    assert fashion.folder() == tiny
    assert fashion.available()
    raw = tiny / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for file in FILES.values():
        (tiny / file.name).rename(raw / file.name)
    assert fashion.folder() == raw
    assert fashion.available()


def test_a_read_only_folder_is_enough(tiny: Path) -> None:
    tiny.chmod(0o555)
    assert len(splits.load("test", "real")) == 20
    tiny.chmod(0o755)


def test_images_and_labels_are_those_of_the_file(tiny: Path) -> None:
    test = splits.load("test", "real")
    content = gzip.decompress((tiny / FILES["test images"].name).read_bytes())
    assert test.images.tobytes() == content[16:]
    assert test.labels.tolist() == [label % 10 for label in range(20)]


def test_validation_and_training_part_the_published_training_set(tiny: Path) -> None:
    train, validation = splits.load("train", "real"), splits.load("validation", "real")
    assert len(validation) == 10
    assert len(train) == 30
    assert np.bincount(validation.labels).tolist() == [1] * 10
    whole = {image.tobytes() for split in (train, validation) for image in split.images}
    assert len(whole) == 40


def test_the_validation_part_is_the_same_every_time(tiny: Path) -> None:
    first, second = splits.load("validation", "real"), splits.load("validation", "real")
    assert first.images.tobytes() == second.images.tobytes()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:20]), "is truncated: 20 of"),
        (lambda path: path.write_bytes(path.read_bytes()[::-1]), "MD5 differs"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tiny: Path, damage, words: str) -> None:
    name = FILES["test labels"].name
    damage(tiny / name)
    with pytest.raises(DataError, match=words) as caught:
        splits.load("test", "real")
    assert name in str(caught.value)
    assert [file.name for file, wrong in fashion.check() if wrong] == [name]


def test_drawn_garments_stand_in_for_missing_files(small: None) -> None:
    assert splits.default_source() == "drawn"
    for split, count in (("train", 300), ("validation", 100), ("test", 100)):
        drawn = splits.load(split, "drawn")
        assert drawn.images.shape == (count, 28, 28)
        assert set(drawn.labels) == set(range(10))


def test_the_atlas_puts_each_image_in_its_cell() -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
    sheet = encode.atlas(images, columns=3)
    assert sheet.shape == (3 * 28, 3 * 28)
    for index, image in enumerate(images):
        row, column = index // 3 * 28, index % 3 * 28
        assert (sheet[row : row + 28, column : column + 28] == image).all()
    assert not sheet[2 * 28 :, 28:].any()


@pytest.fixture
def mirror(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tiny dataset on a web server of its own, and an empty folder to download it to."""
    handler = type(
        "Handler",
        (http.server.SimpleHTTPRequestHandler,),
        {
            "__init__": lambda self, *args: http.server.SimpleHTTPRequestHandler.__init__(
                self, *args, directory=str(tiny)
            ),
            "log_message": lambda *args: None,
        },
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/", address])
        monkeypatch.setenv("FMNIST_DATA", str(tmp_path / "empty"))
        yield tiny
        server.shutdown()


def test_a_download_fetches_what_is_missing_from_the_first_mirror_that_answers(
    mirror: Path,
) -> None:
    fashion.download()
    assert fashion.available()
    assert len(splits.load("train", "real")) == 30


def test_a_download_leaves_present_files_alone(mirror: Path) -> None:
    fashion.download()
    kept = fashion.folder() / FILES["test images"].name
    kept.write_bytes(b"the user's own")
    fashion.download()
    assert kept.read_bytes() == b"the user's own"


def test_a_download_without_a_network_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError, match="copy the four files there"):
        fashion.download()


@pytest.mark.real_data
def test_the_real_dataset_has_its_published_sizes_and_ten_balanced_classes() -> None:
    assert [wrong for _, wrong in fashion.check()] == [None] * 4
    for split, per_class in (("train", 5500), ("validation", 500), ("test", 1000)):
        labels = splits.load(split, "real").labels
        assert np.bincount(labels).tolist() == [per_class] * 10
