"""Suspects: labels that are likely wrong, garments that are there twice, and what people decide."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import IN_WORDS, SPLITS, SplitName
from fmnist.machine.errors import UserFacingError
from fmnist.models.inference import ProgressCallback

Kind = Literal["label", "duplicate"]

MOST_DIFFERENT = 12.0
"""Grey levels (root mean square over the pixels) up to which two images are near-duplicates.

On Fashion-MNIST 176 pairs are; beyond it, pairs are mostly different plain trousers.
"""
COMPONENTS = 48
ROWS_AT_ONCE = 500
PAIR = np.dtype([("first", np.int32), ("second", np.int32), ("difference", np.float32)])


def label_issues(e: Evaluation, temperature: float = 1.0) -> NDArray[np.int64]:
    """Rows whose label is likely wrong, the least likely label first.

    Confident learning (Northcutt et al. 2021); the answers must be on images that the model was
    not trained on.
    """
    # cleanlab takes a second to import, and one page needs it.
    from cleanlab.filter import find_label_issues

    rows: NDArray[np.int64] = find_label_issues(
        e.labels.astype(np.int64),
        evaluation.probabilities(e.logits, temperature),
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    return rows


def near_duplicates(
    images: NDArray[np.uint8], report: ProgressCallback, most: float = MOST_DIFFERENT
) -> NDArray[np.void]:
    """Every pair of images uint8 (N, 28, 28) that differ by at most `most` grey levels.

    Returns rows of PAIR, first < second, the most alike first; exact duplicates differ by 0.
    A projection on principal components never lengthens a distance. So pairs that are far apart
    in the first, or in the first few, are left out at once, and the rest compared pixel by pixel.
    """
    pixels = torch.tensor(images).flatten(1)
    vectors = pixels.float()
    vectors -= vectors.mean(0)
    _, axes = torch.linalg.eigh(vectors.T @ vectors)
    vectors = vectors @ axes[:, -COMPONENTS:]
    main, order = vectors[:, -1].sort()
    vectors = vectors[order]
    # One product gives minus half the squared distance of each pair.
    half = vectors.square().sum(1, keepdim=True) / 2
    one = torch.ones_like(half)
    left, right = torch.cat([vectors, -half, one], 1), torch.cat([vectors, one, -half], 1)
    # Rounding, relative to what is added up, may lose no pair.
    limit = most**2 * pixels.shape[1] / 2 + 1e-5 * half.max()
    found = []
    for start in range(0, len(images), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        end = torch.searchsorted(main, main[rows][-1] + (2 * limit).sqrt(), right=True)
        first, second = (left[rows] @ right[start:end].T >= -limit).nonzero().T
        found.append(torch.stack([first, second])[:, second > first] + start)
        report((start + ROWS_AT_ONCE) / len(images))
    pairs, _ = order[torch.cat(found, 1)].sort(0)
    differences = torch.cat(
        [
            (pixels[first].float() - pixels[second].float()).square().mean(1).sqrt()
            for first, second in zip(*(row.split(ROWS_AT_ONCE) for row in pairs), strict=True)
        ]
    )
    result = np.empty(len(differences), PAIR)
    result["first"], result["second"] = pairs.numpy()
    result["difference"] = differences.numpy()
    return np.sort(result[result["difference"] <= most], order=["difference", "first", "second"])


class Suspect(NamedTuple):
    """An image whose label is doubted, or two that may be one; rows count within their splits."""

    kind: Kind
    split: SplitName
    row: int
    other_split: SplitName | None = None
    other_row: int | None = None


Decisions = Mapping[Suspect, bool]
"""True where the suspicion is confirmed."""


def confirmed(decisions: Decisions, split: SplitName) -> NDArray[np.int64]:
    """Rows of the split to leave out: wrong labels, and of each two duplicates the one in it.

    Of two within the split the second one goes.
    """
    rows = set()
    for suspect, agreed in decisions.items():
        if not agreed:
            continue
        if suspect.other_split == split:
            rows.add(cast(int, suspect.other_row))
        elif suspect.split == split:
            rows.add(suspect.row)
    return np.array(sorted(rows), np.int64)


def accuracy_without(e: Evaluation, rows: NDArray[np.int64]) -> float:
    """Share of images named right, 0 to 1, when those at `rows` are left out."""
    return float(np.delete(e.predictions == e.labels, rows).mean())


def to_rows(
    decisions: Decisions, source: str, published: Mapping[SplitName, NDArray[np.int64]]
) -> list[dict[str, Any]]:
    """Decisions as rows of a table; `published` gives each split's rows in the published files."""
    rows = []
    for suspect, agreed in decisions.items():
        split, other = suspect.split, suspect.other_split
        rows.append(
            {
                "data": source,
                **{key: "" if value is None else value for key, value in suspect._asdict().items()},
                "decision": "agree" if agreed else "disagree",
                "published_row": published[split][suspect.row],
                "other_published_row": published[other][suspect.other_row] if other else "",
            }
        )
    return rows


def from_csv(content: bytes, source: str, sizes: Mapping[SplitName, int]) -> dict[Suspect, bool]:
    """Decisions from a CSV of `to_rows`; `sizes` are those of the splits.

    Raises UserFacingError, with the line, for anything else.
    """
    decisions = {}
    try:
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise UserFacingError(
            "This is not a CSV file. Take one that was downloaded here."
        ) from None
    for number, line in enumerate(lines, start=2):
        try:
            suspect = _suspect(line, sizes)
            decision = {"agree": True, "disagree": False}[line["decision"]]
        except (KeyError, ValueError, TypeError):
            raise UserFacingError(
                "Line {number} is no decision of this page. Take a CSV that was downloaded here.",
                number=number,
            ) from None
        if line["data"] != source:
            raise UserFacingError(
                "Line {number} is about {theirs} garments, and you are looking at {source} ones.",
                number=number,
                theirs=IN_WORDS.get(line["data"], line["data"]),
                source=IN_WORDS[source],
            )
        decisions[suspect] = decision
    return decisions


def _suspect(line: Mapping[str, str], sizes: Mapping[SplitName, int]) -> Suspect:
    def place(split: str, row: str) -> tuple[SplitName, int]:
        name = SPLITS[SPLITS.index(cast(SplitName, split))]
        if not 0 <= int(row) < sizes[name]:
            raise ValueError(row)
        return name, int(row)

    kind = cast(Kind, line["kind"])
    if kind not in get_args(Kind):
        raise ValueError(kind)
    others = place(line["other_split"], line["other_row"]) if kind == "duplicate" else ()
    return Suspect(kind, *place(line["split"], line["row"]), *others)
