"""What goes over the wire, made small: Streamlit sends its own files, megabytes, as they are."""

import asyncio
import gzip
import posixpath
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fmnist.ui import icons

FILES = "/static/"
WAYS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        # Browsers take it from secure origins only. Its highest levels take seconds for a tenth.
        "br": partial(brotli.compress, quality=9),
        "gzip": partial(gzip.compress, compresslevel=9),
    }
)
"""How a file can be compressed, by what browsers call it, the better one first."""
LEAST = 1000  # bytes


class Compressed:
    """Middleware that makes each of Streamlit's files small once and keeps that for everybody.

    Its font of icons is cut down to those that are named, the others are compressed. Their names
    change with their content. What is no such file passes as it is: of that, Streamlit itself
    compresses what is worth it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[tuple[str, str], list[Message]] = {}
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._way(scope)
        if not way:
            await self._app(scope, receive, send)
            return
        asked = scope["path"], way
        messages = self._kept.get(asked)
        if not messages:
            async with self._turn:  # when a room opens, all ask for the same at once
                messages = self._kept.get(asked) or await self._answer(scope, way)
                if _is_file(messages[0]):
                    self._kept[asked] = messages
        for message in messages:
            await send(message)

    def _way(self, scope: Scope) -> str | None:
        """How to compress the answer, if at all."""
        if scope["type"] != "http" or scope["method"] != "GET" or FILES not in scope["path"]:
            return None
        if posixpath.normpath(scope["path"]) != scope["path"]:
            return None  # a file has any number of such names, and each would be kept
        headers = Headers(scope=scope)
        if "range" in headers:
            return None
        offered = re.findall(r"[\w-]+", headers.get("accept-encoding", ""))
        return next((way for way in WAYS if way in offered), None)

    async def _answer(self, scope: Scope, way: str) -> list[Message]:
        """What the server says to a request, made smaller where that can be."""
        said: list[Message] = []

        async def note(message: Message) -> None:
            said.append(message)

        await self._app(scope, _stays, note)
        start, body = said[0], b"".join(message.get("body", b"") for message in said[1:])
        if not _is_file(start) or len(body) < LEAST:
            return said
        headers = MutableHeaders(raw=list(start["headers"]))
        if icons.FONT.search(scope["path"]):
            small = await asyncio.to_thread(icons.only_named, body)
        else:
            small = await asyncio.to_thread(WAYS[way], body)
            if len(small) >= len(body):
                return said
            headers["content-encoding"] = way
            headers.add_vary_header("accept-encoding")
        headers["content-length"] = str(len(small))
        start = {**start, "headers": headers.raw}
        return [start, {"type": "http.response.body", "body": small}]


def _is_file(start: Message) -> bool:
    """Whether what is answered is the file: for one that isn't there Streamlit sends its page."""
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and not kind.startswith("text/html")


async def _stays() -> Message:
    """What is heard of somebody who waits: who leaves must not cut short what others will get."""
    message: Message = await asyncio.get_running_loop().create_future()
    return message
