import csv
import io

import numpy as np
from PIL import Image

from fmnist.data import garments
from fmnist.ui import downloads
from fmnist.ui.downloads import ENLARGED


def test_a_csv_gives_back_what_went_in_whatever_the_words() -> None:
    rows = [
        {"name": 'a "quoted", one\nover two lines', "share": np.float32(0.25)},
        {"name": "Überrock", "share": 1},
    ]
    read = list(csv.DictReader(io.StringIO(downloads.csv_text(rows), newline="")))
    assert [row["name"] for row in read] == [row["name"] for row in rows]
    assert [float(row["share"]) for row in read] == [0.25, 1.0]


def test_a_csv_has_each_value_as_it_is_whatever_stands_in_its_column() -> None:
    rows = [
        {"row": np.int64(3), "share": np.float32(0.123), "other": "", "agreed": True},
        {"row": 4, "share": 1, "other": np.int64(12), "agreed": None},
    ]
    assert downloads.csv_text(rows) == "row,share,other,agreed\r\n3,0.123,,True\r\n4,1,12,\r\n"


def test_a_contact_sheet_holds_every_image_in_order() -> None:
    images, _ = garments.draw(7, seed=0)
    sheet = np.array(Image.open(io.BytesIO(downloads.contact_sheet(images))))
    small = sheet[::ENLARGED, ::ENLARGED]
    assert small.shape == (3 * 28, 3 * 28)
    for index, image in enumerate(images):
        top, left = 28 * (index // 3), 28 * (index % 3)
        assert (small[top : top + 28, left : left + 28] == image).all()
    assert not small[56:, 28:].any()
