"""The four files of Fashion-MNIST: find them, verify them, download them."""

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fmnist import PROJECT
from fmnist.machine.errors import UserFacingError
from fmnist.words import Words

DOWNLOAD_FOLDER = PROJECT / "data"


class DataError(UserFacingError):
    """The dataset can't be used; the message says which file and what to do."""


class PublishedFile(NamedTuple):
    """One of the four files as Zalando published it."""

    name: str
    size: int
    md5: str


FILES = {
    "train images": PublishedFile(
        "train-images-idx3-ubyte.gz", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"
    ),
    "train labels": PublishedFile(
        "train-labels-idx1-ubyte.gz", 29515, "25c81989df183df01b3e8a0aad5dffbe"
    ),
    "test images": PublishedFile(
        "t10k-images-idx3-ubyte.gz", 4422102, "bef4ecab320f06d8554ea6380940ec79"
    ),
    "test labels": PublishedFile(
        "t10k-labels-idx1-ubyte.gz", 5148, "bb300cfdad3c16e7a12a480ee83cd310"
    ),
}


def folder() -> Path:
    """Where the four files are, or would be downloaded to.

    FMNIST_DATA wins over the project's data/; the files may lie directly in it or under
    FashionMNIST/raw.
    """
    root = Path(os.environ.get("FMNIST_DATA") or DOWNLOAD_FOLDER)
    nested = root / "FashionMNIST" / "raw"
    return root if (root / FILES["train images"].name).exists() else nested


def check() -> Iterator[tuple[PublishedFile, Words | None]]:
    """Each published file with what is wrong with it here; None where its MD5 is right."""
    for file in FILES.values():
        try:
            read_verified(file)
            yield file, None
        except DataError as error:
            yield file, error.words


def available() -> bool:
    """True where all four files are present at their published size; `load` checks the MD5."""
    paths = ((folder() / file.name, file.size) for file in FILES.values())
    return all(path.is_file() and path.stat().st_size == size for path, size in paths)


def chosen_by_user() -> bool:
    """True where FMNIST_DATA names a folder, which is then the user's to fill."""
    return bool(os.environ.get("FMNIST_DATA"))


def download() -> None:
    """Fetch the files that are missing into `folder()`, with a progress bar.

    Raises DataError when a file can't be had or the folder can't be written.
    """
    missing = [file for file in FILES.values() if not (folder() / file.name).exists()]
    if not missing:
        return
    # Importing torchvision takes seconds, and only a download needs it.
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import download_url

    for file in missing:
        failures = []
        for mirror in FashionMNIST.mirrors:
            try:
                download_url(mirror + file.name, str(folder()), file.name, file.md5)
                break
            except (OSError, RuntimeError) as error:
                failures.append(str(error))
        else:
            raise DataError(
                "{file} could not be downloaded ({failure}). "
                "Check the network, or copy the four files there.",
                file=file.name,
                failure=failures[-1],
            )


def read_verified(file: PublishedFile) -> bytes:
    path = folder() / file.name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            "{file} is missing. Run `python -m fmnist data` to "
            "download it, or point FMNIST_DATA at a folder that holds the four files.",
            file=file.name,
        ) from None
    except OSError as error:
        raise DataError(
            "{file} can't be read ({reason}).", file=file.name, reason=error.strerror
        ) from None
    if len(content) < file.size:
        raise DataError(
            "{file} is truncated: {here:,} of {size:,} bytes. Delete it and run "
            "`python -m fmnist data` to download it again.",
            file=file.name,
            here=len(content),
            size=file.size,
        )
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != file.md5:
        raise DataError(
            "{file} is not the published file: its MD5 differs. Delete it and run "
            "`python -m fmnist data` to download it again.",
            file=file.name,
        )
    return gzip.decompress(content)
