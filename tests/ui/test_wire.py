import asyncio
import gzip
import random
from collections import Counter
from io import BytesIO
from pathlib import Path

import brotli
import pytest
import streamlit
from fontTools.ttLib import TTFont
from loops import finished
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message

from fmnist.ui.navigation import PLACES
from fmnist.ui.wire import Compressed

TEXT = b"A page is mostly words, and words come again and again. " * 100
NOISE = random.Random(0).randbytes(5000)
FILES = {"text.js": TEXT, "noise.woff2": NOISE, "short.js": b"let a = 1"}


class Site:
    """Files under /static and elsewhere, served by way of the middleware."""

    def __init__(self) -> None:
        self.served: Counter[str] = Counter()
        path = "/{folder:path}/{name}"
        self._app = Compressed(Starlette(routes=[Route(path, self._answer)]))

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.served[name] += 1
        if name == "no file":  # Streamlit sends its page then
            return HTMLResponse(TEXT)
        return Response(FILES.get(name, TEXT), status_code=200 if name in FILES else 404)

    async def ask(self, path: str, accepts: str = "gzip, br") -> tuple[int, dict[str, str], bytes]:
        return await ask(self._app, path, accepts)


async def ask(app: ASGIApp, path: str, accepts: str) -> tuple[int, dict[str, str], bytes]:
    """The status, the heads and the body of an answer."""
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"accept-encoding", accepts.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    await app(scope | {"query_string": b""}, receive, send)
    found = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], found, b"".join(part["body"] for part in said[1:])


@pytest.mark.parametrize(
    ("accepts", "way", "undo"),
    [("gzip, deflate, br, zstd", "br", brotli.decompress), ("gzip", "gzip", gzip.decompress)],
)
def test_a_file_arrives_smaller_and_whole_in_the_best_way_that_the_browser_takes(
    accepts: str, way: str, undo
) -> None:
    status, headers, body = finished(Site().ask("/static/text.js", accepts))
    assert (status, headers["content-encoding"]) == (200, way)
    assert headers["vary"].lower() == "accept-encoding"
    assert int(headers["content-length"]) == len(body) < len(TEXT) / 5
    assert undo(body) == TEXT


def _drawn(font: TTFont) -> set[str]:
    """The words for which a font draws one sign, by its table of ligatures."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    return {
        "".join(letters[glyph] for glyph in (first, *ligature.Component))
        for lookup in font["GSUB"].table.LookupList.Lookup
        for table in lookup.SubTable
        for first, ligatures in getattr(table, "ExtSubTable", table).ligatures.items()
        for ligature in ligatures
    }


@pytest.mark.slow
def test_streamlits_font_of_icons_arrives_with_those_that_are_named_and_hardly_another() -> None:
    static = Path(streamlit.__file__).parent / "static/static"
    (font,) = static.glob("media/MaterialSymbols*.woff2")
    app = Compressed(Starlette(routes=[Mount("/static", StaticFiles(directory=static))]))
    _, _, body = finished(ask(app, f"/static/media/{font.name}", "br"))
    assert len(body) < font.stat().st_size / 10
    icons = _drawn(TTFont(BytesIO(body)))
    assert icons >= {place.icon for places in PLACES.values() for place in places} | {
        "close",
        "keyboard_double_arrow_left",
    }
    assert len(icons) < len(_drawn(TTFont(font))) / 10


@pytest.mark.parametrize(
    ("path", "accepts"),
    [
        ("/static/text.js", "identity"),
        ("/media/text.js", "br"),
        ("/static/noise.woff2", "br"),
        ("/static/short.js", "br"),
        ("/static/gone.js", "br"),
    ],
)
def test_what_cannot_or_need_not_be_smaller_passes_as_it_is(path: str, accepts: str) -> None:
    _, headers, body = finished(Site().ask(path, accepts))
    assert "content-encoding" not in headers
    assert body == FILES.get(path.rpartition("/")[2], TEXT)


def test_a_room_that_asks_at_once_has_each_file_compressed_once() -> None:
    site = Site()

    async def room() -> list[tuple[int, dict[str, str], bytes]]:
        paths = ["/base/static/text.js", "/base/static/noise.woff2"] * 20
        return await asyncio.gather(*(site.ask(path) for path in paths))

    answers = finished(room())
    assert site.served == {"text.js": 1, "noise.woff2": 1}
    assert {status for status, _, _ in answers} == {200}
    assert len({body for _, _, body in answers}) == 2


@pytest.mark.parametrize("path", ["/static/./text.js", "/static//text.js", "/static/a/../text.js"])
def test_another_spelling_of_a_file_is_passed_on_and_not_kept(path: str) -> None:
    site = Site()
    for _ in range(2):
        _, headers, body = finished(site.ask(path))
        assert "content-encoding" not in headers
        assert body == TEXT
    assert site.served == {"text.js": 2}


def test_what_is_not_there_is_asked_for_again() -> None:
    site = Site()
    for name, code in (("gone.js", 404), ("no file", 200)):
        for _ in range(2):
            status, _, body = finished(site.ask(f"/static/{name}"))
            assert (status, body) == (code, TEXT)
        assert site.served[name] == 2


def test_who_leaves_before_the_first_answer_does_not_cut_it_short_for_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "text.js").write_bytes(TEXT)
    app = Compressed(Starlette(routes=[Mount("/static", StaticFiles(directory=tmp_path))]))
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/static/text.js",
        "headers": [(b"accept-encoding", b"gzip")],
    }

    async def ask(said: list[Message]) -> None:
        async def left() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            said.append(message)

        await app(dict(scope), left, send)

    first, second = list[Message](), list[Message]()
    finished(ask(first))
    finished(ask(second))
    assert gzip.decompress(b"".join(part["body"] for part in second[1:])) == TEXT
