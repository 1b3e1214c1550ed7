"""A browser as the server sees it: Streamlit's own messages over one websocket, nothing drawn."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import requests
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, StringArray, UploadedFileInfo
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PATIENCE = 120  # seconds for one answer
LARGEST = 2**26  # bytes of one message
LOCAL = ("localhost", "127.0.0.1", "::1")
SLOW = ("t-SNE",)  # takes minutes, which is no click's wait
LANGUAGE = "Language"  # another one would name the pages otherwise
GOES_ON = ForwardMsg.FINISHED_EARLY_FOR_RERUN


class Wait(NamedTuple):
    """Seconds until what was asked for stands, and those that a part behind a progress bar takes.

    Such a part says how long it takes, and whoever doesn't care for it clicks on.
    """

    seconds: float
    behind_bar: float = 0.0


class VisitError(Exception):
    """The server broke off, took too long, or showed an error."""


@dataclass
class Visitor:
    """One browser: what stands on its page, and what it did with the widgets there."""

    address: str
    random: random.Random
    pages: dict[str, str] = field(default_factory=dict)  # hashes by title
    choices: dict[str, tuple[str, list[str], str]] = field(default_factory=dict)
    canvas: tuple[str, str] | None = None  # widget and fragment
    uploader: tuple[str, str] | None = None
    named: dict[str, tuple[str, str]] = field(default_factory=dict)  # widgets, fragments by label
    markup: str = ""  # of the page's last part that is HTML
    clocks: list[tuple[float, str]] = field(default_factory=list)  # seconds and fragment
    ticket: str = ""  # what the browser keeps of a room, in a cookie
    cookies: dict[str, str] = field(default_factory=dict)  # by which a proxy knows its server
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _page: str = ""
    _session: str = ""
    _socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        parts = urlsplit(self.address)
        if parts.hostname not in LOCAL:
            raise ValueError(f"{self.address} is another machine's; visitors stay on this one.")
        self._socket = await connect(
            f"ws://{parts.netloc}{parts.path.rstrip('/')}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=LARGEST,
            open_timeout=PATIENCE,
            additional_headers={"Cookie": f"fmnist_ticket={self.ticket}"} if self.ticket else {},
            ping_interval=None,
        )
        if self._socket.response:
            for given in self._socket.response.headers.get_all("Set-Cookie"):
                name, _, value = given.partition(";")[0].partition("=")
                self.cookies[name] = value
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket:
            await self._socket.close()

    async def open(self, query: str = "") -> Wait:
        """The first page; seconds until it stands."""
        return await self._run("", query=query)

    async def turn(self, title: str, query: str = "") -> Wait:
        """A click in the sidebar; seconds until that page stands."""
        self.choices.clear()
        self.named.clear()
        self.clocks.clear()
        self._states.clear()
        self.canvas = self.uploader = None
        self._page = self.pages[title]
        return await self._run("", query=query)

    async def click(self) -> Wait:
        """Another choice in one of the page's select boxes and bars, or the page anew."""
        if not self.choices:
            return await self._run("")
        widget, (kind, options, fragment) = self.random.choice(sorted(self.choices.items()))
        option = self.random.choice(options)
        if kind == "selectbox":
            self._states[widget] = WidgetState(id=widget, string_value=option)
        else:
            self._states[widget] = WidgetState(
                id=widget, string_array_value=StringArray(data=[option])
            )
        return await self._run(fragment)

    def write(self, label: str, text: str) -> None:
        """Text in a box, which goes with what is done next."""
        widget, _ = self._labelled(label)
        self._states[widget] = WidgetState(id=widget, string_value=text)

    def choose(self, label: str, option: str) -> None:
        """An option of a bar or of pills, which goes with what is done next."""
        widget, _ = self._labelled(label)
        self._states[widget] = WidgetState(id=widget, string_array_value=StringArray(data=[option]))

    async def press(self, label: str) -> Wait:
        """A button; seconds until the page stands again."""
        widget, fragment = self._labelled(label)
        self._states[widget] = WidgetState(id=widget, trigger_value=True)
        try:
            return await self._run(fragment)
        finally:
            del self._states[widget]

    async def tick(self, fragment: str) -> Wait:
        """What a page does by itself after a while."""
        return await self._run(fragment)

    def _labelled(self, label: str) -> tuple[str, str]:
        if label not in self.named:
            raise VisitError(f"there is no {label!r} on the page")
        return self.named[label]

    async def draw(self, strokes: list[dict[str, Any]], picture: str) -> Wait:
        """A stroke on the canvas, whose picture is a PNG in base64."""
        if not self.canvas:
            raise VisitError("there is no canvas")
        widget, fragment = self.canvas
        drawing = {"drawing": {"strokes": strokes, "picture": picture}}
        self._states[widget] = WidgetState(id=widget, json_value=json.dumps(drawing))
        return await self._run(fragment)

    async def upload(self, name: str, content: bytes) -> Wait:
        """A file for the page's uploader; seconds until the page says what it makes of it."""
        if not self.uploader:
            raise VisitError("there is no place for files")
        widget, fragment = self.uploader
        started = time.perf_counter()
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        await self._send(message)
        while (reply := await self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        urls = reply.file_urls_response.file_urls[0]
        await asyncio.to_thread(_put, self.address, urls.upload_url, name, content, self.cookies)
        file = UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        self._states[widget] = WidgetState(
            id=widget, file_uploader_state_value=FileUploaderState(uploaded_file_info=[file])
        )
        await self._run(fragment, complains=False)
        return Wait(time.perf_counter() - started)

    async def _run(self, fragment: str, query: str = "", complains: bool = True) -> Wait:
        """Run the page, or a fragment of it, and wait for the end."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = query
        state.page_script_hash = self._page
        state.fragment_id = fragment
        state.context_info.url = self.address
        state.widget_states.widgets.extend(self._states.values())
        started = time.perf_counter()
        await self._send(message)
        said, bar = [], None
        while True:
            reply = await self._receive()
            kind = reply.WhichOneof("type")
            if kind == "script_finished" and reply.script_finished != GOES_ON:
                break
            if kind == "new_session" and not fragment:
                self._session = self._session or reply.new_session.initialize.session_id
                self.choices.clear()
                self.named.clear()
                self.clocks.clear()
            elif kind == "navigation":
                listed = reply.navigation.app_pages
                self.pages = {page.page_name: page.page_script_hash for page in listed}
                self._page = reply.navigation.page_script_hash
            elif kind == "auto_rerun":
                clock = reply.auto_rerun
                self.clocks.append((clock.interval, clock.fragment_id))
            elif kind == "delta":
                said += self._note(reply.delta)
                if reply.delta.new_element.WhichOneof("type") == "progress":
                    bar = bar or time.perf_counter()
        if said and complains:
            raise VisitError("; ".join(said))
        ended = time.perf_counter()
        return Wait((bar or ended) - started, ended - (bar or ended))

    def _note(self, delta: Delta) -> list[str]:
        """Remember what can be clicked; what the page complains of."""
        element, fragment = delta.new_element, delta.fragment_id
        kind = str(element.WhichOneof("type"))
        if kind == "exception":
            return [f"{element.exception.type}: {element.exception.message}"]
        if kind == "alert" and element.alert.format == Alert.ERROR:
            return [element.alert.body]
        if kind in ("text_input", "text_area", "button", "button_group"):
            widget = getattr(element, kind)
            self.named[widget.label] = widget.id, fragment
        elif kind == "html":
            self.markup = element.html.body
        if kind == "selectbox" and len(element.selectbox.options) > 1:
            box = element.selectbox
            if box.label == LANGUAGE:
                return []
            self.choices[box.id] = kind, list(box.options), fragment
        elif kind == "button_group":
            bar = element.button_group
            options = [name for option in bar.options if (name := option.content) not in SLOW]
            self.choices[bar.id] = kind, options, fragment
        elif kind == "file_uploader":
            self.uploader = element.file_uploader.id, fragment
        elif kind == "bidi_component" and element.bidi_component.component_name.endswith("canvas"):
            self.canvas = element.bidi_component.id, fragment
        elif kind == "bidi_component" and element.bidi_component.component_name.endswith("ticket"):
            part = element.bidi_component
            self.ticket = json.loads(part.json or part.mixed.json)["ticket"] or self.ticket
        return []

    async def _send(self, message: BackMsg) -> None:
        assert self._socket
        try:
            await self._socket.send(message.SerializeToString())
        except WebSocketException as error:
            raise VisitError(str(error)) from error

    async def _receive(self) -> ForwardMsg:
        assert self._socket
        try:
            async with asyncio.timeout(PATIENCE):
                content = await self._socket.recv()
        except (WebSocketException, TimeoutError) as error:
            raise VisitError(str(error) or f"no answer in {PATIENCE} s") from error
        message = ForwardMsg()
        message.ParseFromString(content if isinstance(content, bytes) else content.encode())
        return message


def _put(address: str, path: str, name: str, content: bytes, cookies: Mapping[str, str]) -> None:
    """Send a file as a browser does, with the token that the server gave it."""
    with requests.Session() as session:
        session.cookies.update(cookies)
        session.get(f"{address}/_stcore/health", timeout=PATIENCE)
        token = session.cookies.get("_streamlit_xsrf") or ""
        reply = session.put(
            f"{address}{path}",
            files={"file": (name, content)},
            headers={"X-Xsrftoken": token},
            timeout=PATIENCE,
        )
    if not reply.ok:
        raise VisitError(f"the upload of {name} was answered with {reply.status_code}")
