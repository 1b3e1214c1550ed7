"""Any picture becomes 28x28, upright and light on dark, or is refused in one sentence."""

import io
import struct
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from fmnist.data import garments, splits
from fmnist.data.garments import drawing
from fmnist.pictures import intake, reading
from fmnist.pictures.intake import FILTERS, MID_GREY, Intake, from_any, from_photo, from_sketch
from fmnist.pictures.reading import MAX_EDGE, PictureError, read
from fmnist.weights import shelf

OUTLINE = "60,40 100,30 180,30 220,40 260,110 220,130 205,100 205,250 75,250 75,100 60,130 20,110"
SHIRT = np.array([point.split(",") for point in OUTLINE.split()], float)


def canvas(width: int = 10, size: int = 280, shrink: float = 1.0, at: int = 0) -> np.ndarray:
    """A shirt's outline, white on black."""
    picture = np.zeros((size, size), np.uint8)
    outline = (SHIRT * shrink + at).astype(np.int32)
    return cv2.polylines(picture, [outline], True, 255, width)


def solid(shade: object, ground: object, height: int = 280, width: int = 280) -> np.ndarray:
    """A plain shirt in a colour on a ground of another."""
    picture = np.full((height, width, 3), ground, np.uint8)
    return cv2.fillPoly(picture, [SHIRT.astype(np.int32)], np.broadcast_to(shade, 3).tolist())


def on_cloth(shade: object, ground: object, seed: int = 0) -> np.ndarray:
    """The same photographed: uneven light and noise."""
    rng = np.random.default_rng(seed)
    picture = solid(shade, ground).astype(float)
    light = np.linspace(0.8, 1.1, 280)[:, None, None]
    return (picture * light + rng.normal(0, 8, picture.shape)).clip(0, 255).astype(np.uint8)


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def garment(seed: int) -> np.ndarray:
    """A dataset-like image: 28x28, light on black, shaded, longest edge 28."""
    rng = np.random.default_rng(seed)
    shirt = cv2.resize(solid(1, 0)[30:251, 20:261, 0], (28, 26), interpolation=cv2.INTER_AREA)
    shaded = shirt * rng.integers(90, 256, shirt.shape, np.uint8)
    return np.pad(shaded, ((1, 1), (0, 0)))


def is_whole(result: Intake) -> bool:
    return (
        result.pixels.shape == (28, 28)
        and result.pixels.dtype == np.uint8
        and result.steps[-1][1] is result.pixels
        and all(step.dtype == np.uint8 and step.ndim in (2, 3) for _, step in result.steps)
        and len({name for name, _ in result.steps}) == len(result.steps)
    )


# ---------------------------------------------------------------- reading


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed)


PHOTO = Image.fromarray(on_cloth((40, 60, 160), (190, 170, 150)))


@pytest.mark.parametrize(
    "content",
    [
        b"This is a text file.",
        b"",
        encoded(PHOTO, "JPEG")[:3000],
        encoded(PHOTO)[:3000],
        encoded(PHOTO, "GIF")[:3000],
        b"%PDF-1.4",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    ],
    ids=[
        "text",
        "empty",
        "truncated-jpeg",
        "truncated-png",
        "truncated-gif",
        "pdf",
        "svg",
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    for source in (content, path, io.BytesIO(content)):
        with pytest.raises(PictureError) as error:
            read(source)
        assert str(error.value).count(".") == 1
        assert str(error.value).endswith(".")
        assert str(tmp_path) not in str(error.value)


def test_a_missing_file_is_refused_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(PictureError) as error:
        read(tmp_path / "secret.png")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_000, 9_000), (8_000, 7_000)])
def test_too_many_pixels_are_refused_before_any_is_decoded(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: object) -> None:
        pytest.fail("a pixel was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(PictureError, match="million pixels"):
        read(png_header(width, height))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_rotated_photo_comes_upright(orientation: int, form: str) -> None:
    turn = [None, None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180]
    turn += [Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE]
    turn += [Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_270]
    upright = Image.fromarray(solid(40, 220, 300))
    stored = upright if turn[orientation] is None else upright.transpose(turn[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read(encoded(stored, form, exif=exif))
    assert picture.size == upright.size
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(upright)).mean() < 3


def test_a_photo_is_read_whatever_else_its_exif_says() -> None:
    upright = Image.fromarray(solid(40, 220, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(upright.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    # XResolution, a ratio by the standard, as text of six letters.
    odd = bytearray(turned)
    entry = struct.pack(">HHI", 0x0112, 3, 1)
    assert entry in odd
    head = odd.index(b"Exif\0\0") + 6
    directory = struct.pack(">H", 2) + odd[head + 10 : head + 22]
    directory += struct.pack(">HHII", 0x011A, 2, 6, 38) + bytes(4) + b"seven\0"
    block = b"Exif\0\0" + odd[head : head + 8] + directory
    size = struct.unpack(">H", odd[head - 8 : head - 6])[0]
    odd[head - 8 : head - 8 + size] = struct.pack(">H", len(block) + 2) + block
    assert read(bytes(odd)).size == upright.size
    # No EXIF at all, where there should be some.
    assert read(encoded(upright, "JPEG", exif=b"Exif\0\0garbage")).size == upright.size


def test_every_pixel_format_is_read() -> None:
    grey = Image.fromarray(canvas())
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    floats = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    broken = np.asarray(floats).copy()
    broken[0, :3] = np.nan, np.inf, -np.inf
    files = {
        "grey": encoded(grey),
        "1 bit": encoded(grey.convert("1")),
        "16 bit": encoded(sixteen),
        "16-bit tiff": encoded(sixteen, "TIFF"),
        "float": encoded(floats, "TIFF"),
        "nan": encoded(Image.fromarray(broken), "TIFF"),
        "palette": encoded(grey.convert("P")),
        "palette, transparent": encoded(grey.convert("P"), transparency=0),
        "cmyk": encoded(grey.convert("CMYK"), "JPEG", quality=95),
        "grey and alpha": encoded(grey.convert("LA")),
        "webp": encoded(grey.convert("RGB"), "WEBP", lossless=True),
        "bmp": encoded(grey, "BMP"),
    }
    expected = from_any(grey)
    assert expected.kind == "sketch"
    for name, content in files.items():
        result = from_any(read(content))
        assert result.kind == "sketch", name
        assert np.abs(result.pixels.astype(int) - expected.pixels).mean() < 4, name


def test_only_the_first_of_several_pictures_is_used_and_that_is_said() -> None:
    first, second = Image.fromarray(canvas()), Image.fromarray(255 - canvas(30))
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        content = encoded(first, form, save_all=True, append_images=[second])
        result = from_any(read(content))
        assert any("only the first" in warning for warning in result.warnings), form
        assert np.abs(result.pixels.astype(int) - from_any(first).pixels).mean() < 8, form
    assert not from_any(read(encoded(first, "GIF"))).warnings
    assert not from_any(read(encoded(PHOTO, "MPO", save_all=True, append_images=[PHOTO]))).warnings


def test_a_large_photo_is_reduced_early() -> None:
    picture = read(encoded(PHOTO.resize((4000, 3000)), "JPEG"))
    assert max(picture.size) <= MAX_EDGE
    assert read(encoded(Image.new("L", (20_000, 1)))).size == (MAX_EDGE, 1)


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8), np.zeros(9, np.uint8)],
    ids=["float", "two channels", "flat"],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError):
        from_any(array)
    with pytest.raises(PictureError):
        from_any(np.zeros((0, 4, 3), np.uint8))


# ---------------------------------------------------------------- where it was


@pytest.mark.parametrize("kind", ["sketch", "shop", "photo"])
@pytest.mark.parametrize("scale", [1, 4])
def test_the_square_lies_around_the_garment(kind: str, scale: int) -> None:
    picture = np.full((300 * scale, 240 * scale, 3), 250, np.uint8)
    picture[60 * scale : 220 * scale, 90 * scale : 130 * scale] = 30
    left, top, edge = from_any(picture, kind).square
    assert (left + edge / 2, top + edge / 2) == pytest.approx((110 / 300, 140 / 300), abs=0.03)
    assert edge == pytest.approx(160 / 300, rel=0.08)


def test_the_square_of_an_enlarged_dataset_image_is_the_whole_of_it() -> None:
    image = drawing.render(garments.garment(0, np.random.default_rng(0)))
    assert from_any(image.repeat(5, 0).repeat(5, 1)).square == (0, 0, 1)


# ---------------------------------------------------------------- robustness


@settings(max_examples=120, deadline=None)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from([(), (3,), (4,)]),
    st.sampled_from(["auto", "sketch", "shop", "photo", "dataset"]),
    st.sampled_from(["noise", "plain", "gradient", "disc", "two", "half"]),
    st.booleans(),
    st.integers(0, 99),
)
def test_whatever_comes_in_28x28_comes_out(
    height: int,
    width: int,
    channels: tuple[int, ...],
    kind: str,
    what: str,
    invert: bool,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    drawn = {
        "noise": rng.integers(0, 256, (height, width)),
        "plain": np.full((height, width), rng.integers(0, 256)),
        "gradient": x * 255 // width,
        "disc": 255 * (np.hypot(y - height / 2, x - width / 2) < min(height, width) / 3),
        "two": rng.choice([0, 255], (height, width)),
        "half": 200 * (y > height / 2),
    }[what].astype(np.uint8)
    picture = 255 - drawn if invert else drawn
    if channels:
        picture = np.repeat(picture[:, :, None], channels[0], axis=2)
    if channels == (4,):  # the first and last columns see-through, or half so
        picture[:, 0, 3], picture[:, -1, 3] = 0, 128
    result = from_any(np.ascontiguousarray(picture), kind)
    assert is_whole(result)
    assert kind in ("auto", result.kind)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I", "F", "YCbCr"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 3000), (3000, 1), (5, 400), (28, 28)])
def test_every_mode_and_shape_is_taken_in(mode: str, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    picture = Image.fromarray(noise)
    assert is_whole(from_any((picture.convert("RGBA") if mode == "LA" else picture).convert(mode)))


def test_the_same_picture_gives_the_same_pixels() -> None:
    first, second = from_photo(PHOTO), from_photo(PHOTO)
    assert np.array_equal(first.pixels, second.pixels)


# ---------------------------------------------------------------- dataset images


@pytest.mark.parametrize("resample", FILTERS)
@pytest.mark.parametrize("factor", [1, 1.3, 3, 7.5, 20])
@pytest.mark.parametrize("invert", [False, True])
def test_an_enlarged_dataset_image_gets_its_pixels_back(
    resample: Image.Resampling, factor: float, invert: bool
) -> None:
    original = garment(3)
    side = round(28 * factor)
    picture = np.asarray(Image.fromarray(original).resize((side, side), resample))
    result = from_any(255 - picture if invert else picture)
    assert result.kind == "dataset"
    # Lanczos overshoots, and what was clipped is lost where pixels are as rough as these.
    assert np.abs(result.pixels.astype(int) - original).mean() < 6


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("factor", [1, 2, 3, 10])
@pytest.mark.parametrize("tall", [False, True])
@pytest.mark.parametrize("invert", [False, True])
def test_a_dataset_image_is_found_on_a_larger_canvas(
    ground: int, factor: int, tall: bool, invert: bool
) -> None:
    original = garment(5).T.copy() if tall else garment(5)
    picture = np.kron(original, np.ones((factor, factor), np.uint8))
    picture = np.pad(picture, ((9, 40), (31, 14)), constant_values=ground)
    result = from_any(255 - picture if invert else picture)
    assert result.kind == "dataset"
    assert np.array_equal(result.pixels, original)


def test_a_jpeg_of_an_enlarged_dataset_image_is_still_recognised() -> None:
    smooth = cv2.GaussianBlur(garment(7), (0, 0), 1)
    picture = Image.fromarray(smooth).resize((280, 280), Image.Resampling.BICUBIC)
    result = from_any(read(encoded(picture.convert("RGB"), "JPEG", quality=85)))
    assert result.kind == "dataset"
    assert np.abs(result.pixels.astype(int) - smooth).mean() < 4


def test_what_is_said_to_be_a_dataset_image_is_reduced_as_a_whole() -> None:
    result = from_any(255 - canvas(20), "dataset")
    assert result.kind == "dataset"
    expected = cv2.resize(canvas(20), (28, 28), interpolation=cv2.INTER_AREA)
    assert np.abs(result.pixels.astype(int) - expected).max() <= 1


@pytest.mark.real_data
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_real_test_images_keep_their_prediction(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enlarged 1 to 20 times by three filters, inverted or not, on a larger canvas or not."""
    monkeypatch.delenv("FMNIST_WEIGHTS", raising=False)
    images = splits.load("test", "real").images[:count]
    model, _ = shelf.load("cnn")
    factors = (1, 2, 3, 5, 7.5, 10, 14, 20)
    rng = np.random.default_rng(0)
    taken, datasets = [], 0
    for original in images:
        side = round(28 * rng.choice(factors))
        resample = rng.choice([Image.Resampling.NEAREST, *FILTERS[1::2]])
        picture = np.asarray(Image.fromarray(original).resize((side, side), resample))
        ground = rng.choice([None, 0, 255])
        if ground is not None:
            margins = rng.integers(1, min(side, 200), (2, 2))
            picture = np.pad(picture, margins, constant_values=ground)
        result = from_any(255 - picture if rng.integers(2) else picture)
        datasets += result.kind == "dataset"
        taken.append(result.pixels)

    def predict(pixels: np.ndarray) -> torch.Tensor:
        with torch.inference_mode():
            return model(torch.from_numpy(pixels)[:, None].float() / 255).argmax(1)

    agree = (predict(np.stack(taken)) == predict(np.array(images))).float().mean()
    assert agree >= 0.99
    assert datasets >= 0.99 * count


# ---------------------------------------------------------------- drawings


@pytest.mark.parametrize("width", [2, 5, 11, 25])
@pytest.mark.parametrize("invert", [False, True])
def test_an_outline_becomes_a_filled_garment(width: int, invert: bool) -> None:
    drawing = canvas(width)
    result = from_any(255 - drawing if invert else drawing)
    assert result.kind == "sketch"
    assert not result.warnings
    names = [name for name, _ in result.steps]
    assert names[0] == "Your picture"
    assert "Outline closed and filled" in names
    assert result.pixels[14, 14] == MID_GREY  # the inside
    assert result.pixels.max() > 200  # the line
    assert result.pixels[0, 0] == 0  # the ground
    assert (result.pixels.any(axis=0).sum(), result.pixels.any(axis=1).sum()) in {
        (28, 26),
        (28, 27),
    }


def test_the_canvas_gives_the_same_on_black_and_on_nothing() -> None:
    line = canvas()
    black = np.dstack([line, line, line, np.full_like(line, 255)])
    nothing = np.dstack([np.full_like(line, 255)] * 3 + [line])
    assert np.array_equal(from_sketch(black).pixels, from_sketch(nothing).pixels)


@pytest.mark.parametrize("shrink", [0.25, 0.5])
@pytest.mark.parametrize("at", [0, 60, 130])
def test_a_small_drawing_off_centre_is_cropped(shrink: float, at: int) -> None:
    small = from_sketch(canvas(3, shrink=shrink, at=at)).pixels.astype(int)
    assert np.abs(small - from_sketch(canvas(round(3 / shrink))).pixels).mean() < 12


def test_a_gap_in_the_outline_is_closed() -> None:
    drawing = canvas()
    drawing[240:, 120:150] = 0
    assert from_sketch(drawing).pixels[14, 14] == MID_GREY


def test_a_pen_drawing_on_uneven_paper_is_told_from_a_photo() -> None:
    light = np.linspace(150, 230, 280)[:, None] - np.linspace(0, 30, 280)
    noise = np.random.default_rng(0).normal(0, 3, (280, 280))
    paper = (np.where(canvas(6, shrink=0.7, at=40) > 0, 60, light) + noise).astype(np.uint8)
    result = from_any(paper)
    assert result.kind == "sketch"
    assert np.abs(result.pixels.astype(int) - from_sketch(canvas(9)).pixels).mean() < 15


def test_a_filled_shape_keeps_its_shades() -> None:
    shape = solid(255, 0)
    shape[150:180, 100:180] = 128
    pixels = from_sketch(shape).pixels
    assert pixels.max() == 255
    assert 120 <= pixels[17, 14] <= 136


# ---------------------------------------------------------------- shop pictures and photos


@pytest.mark.parametrize(
    ("shade", "ground"),
    [(40, 255), (120, 250), ((160, 30, 40), 255), (200, 10), ((20, 20, 90), 240)],
)
def test_a_shop_picture_follows_the_recipe(shade: object, ground: int) -> None:
    result = from_any(solid(shade, ground))
    assert result.kind == "shop"
    assert not result.warnings
    grey = solid(shade, ground)[140, 140] @ (0.299, 0.587, 0.114)
    middle = 255 - grey if ground > 127 else grey  # negated as Zalando did on white
    assert dict(result.steps)["Grey on black"][140, 140] == pytest.approx(middle, abs=1)
    assert result.pixels.max() == 255
    assert result.pixels[14, 14] > 100
    assert result.pixels[0, 0] == 0
    assert result.pixels.any(axis=0).sum() == 28


def test_sharpening_keeps_planes_and_lifts_edges() -> None:
    plane = np.full((9, 9), 100, np.uint8)
    plane[:, 5:] = 150
    sharp = intake._sharpen(plane)
    assert sharp[4, 2] == 100
    assert sharp[4, 4] < 100
    assert sharp[4, 5] > 150


def test_the_garment_lies_where_the_dataset_has_it() -> None:
    centred = intake._centre(np.full((28, 13), 9, np.uint8))
    assert np.flatnonzero(centred.any(axis=0)).tolist() == list(range(8, 21))


@pytest.mark.parametrize(
    ("shade", "ground"),
    [((40, 60, 160), (190, 170, 150)), ((230, 230, 225), (150, 30, 30)), (30, (160, 120, 80))],
)
def test_a_photo_is_cut_out_light_on_black(shade: object, ground: object) -> None:
    result = from_any(on_cloth(shade, ground))
    assert result.kind == "photo"
    assert not result.warnings
    truth = solid(1, 0)[:, :, 0] > 0
    cut = dict(result.steps)["Background removed"].any(axis=2)
    assert (cut & truth).sum() / (cut | truth).sum() > 0.95
    assert result.pixels[14, 14] > 127
    assert result.pixels[0, 0] == 0


def test_the_kind_can_be_said() -> None:
    picture = solid(40, 255)
    assert from_photo(picture).kind == "photo"
    assert from_any(picture, "shop").kind == "shop"
    assert from_sketch(picture).kind == "sketch"


# ---------------------------------------------------------------- warnings


def warnings_of(picture: np.ndarray, kind: str = "auto") -> str:
    result = from_any(picture, kind)
    assert is_whole(result)
    return " ".join(result.warnings)


def test_a_white_garment_on_white_and_a_black_one_on_black_are_answered_with_a_warning() -> None:
    for shade, ground, words in ((238, 255, "both light"), (16, 0, "both dark")):
        picture = solid(shade, ground)
        assert words in warnings_of(picture)
        assert from_any(picture).pixels[14, 14] > 200


def test_two_garments_are_mentioned_with_the_pair_of_shoes() -> None:
    two = np.hstack([solid(40, 255), solid(40, 255)])
    assert "pair of shoes" in warnings_of(two)
    assert "pair of shoes" in warnings_of(np.hstack([canvas(), canvas()]), "sketch")


def test_a_hand_is_mentioned() -> None:
    picture = on_cloth((40, 60, 160), (230, 230, 235))
    picture[200:, 120:170] = (215, 160, 130)
    assert "hand" in warnings_of(picture)
    assert "hand" not in warnings_of(on_cloth((40, 60, 160), (200, 160, 130)))


@pytest.mark.parametrize("shade", [0, 128, 255])
@pytest.mark.parametrize("kind", ["auto", "sketch", "shop", "photo", "dataset"])
def test_an_empty_picture_is_said_to_be_empty(shade: int, kind: str) -> None:
    picture = np.full((280, 280, 3), shade, np.uint8)
    assert "empty" in warnings_of(picture, kind)
    assert not from_any(picture, kind).pixels.any()


def test_a_single_stroke_is_no_garment() -> None:
    stroke = cv2.line(np.zeros((280, 280), np.uint8), (20, 40), (260, 50), 255, 10)
    assert "could not be closed" in warnings_of(stroke, "sketch")
    noise = np.random.default_rng(0).normal(128, 4, (200, 200, 3)).astype(np.uint8)
    assert warnings_of(noise, "photo")


@pytest.mark.parametrize("picture", [canvas(), solid(40, 255), on_cloth(30, (160, 120, 80))])
def test_transparent_pictures_are_laid_on_the_ground_that_shows_them(picture: np.ndarray) -> None:
    light = picture.mean() > 127
    rgb = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    alpha = (rgb.mean(axis=2) < 200) if light else (rgb.mean(axis=2) > 40)
    result = from_any(np.dstack([rgb, 255 * alpha.astype(np.uint8)]))
    assert result.pixels.any()
    assert result.pixels[0, 0] == 0


def test_of_large_pictures_one_is_decoded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    Image.new("RGBA", (40, 30), "red").save(content, "PNG")
    decode, at_once, most = reading.eight_bit, Counter[str](), []

    def slowly(picture: Image.Image) -> Image.Image:
        at_once["decoding"] += 1
        most.append(at_once["decoding"])
        time.sleep(0.02)
        at_once["decoding"] -= 1
        return decode(picture)

    monkeypatch.setattr(reading, "eight_bit", slowly)
    monkeypatch.setattr(reading, "LARGE", 40 * 30 - 1)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(reading.read, [content.getvalue()] * 8))
    assert most == [1] * 8
    assert {picture.getpixel((0, 0)) for picture in read} == {(255, 0, 0, 255)}
