import datetime
import hashlib
import os
import re
import signal
import socket
import ssl
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from benchmarks.studio import free_port
from fmnist.machine import files, room, templates


def test_a_certificate_is_made_once_for_an_address_and_its_key_is_for_nobody_else() -> None:
    first, again = (room.certificate("192.168.7.7") for _ in range(2))
    assert first == again
    assert files.CACHE in first.key.parents
    assert first.key.parent.stat().st_mode & 0o077 == 0
    assert room.certificate("192.168.7.8").fingerprint != first.fingerprint


def test_a_server_can_use_it_and_a_browser_sees_that_fingerprint_and_that_address() -> None:
    made = room.certificate("192.168.7.7")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.chain, made.key)
    first = made.chain.read_text().split("-----END CERTIFICATE-----")[0]
    seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first + "-----END CERTIFICATE-----"))
    assert made.fingerprint.replace(":", "").lower() == seen.hexdigest()


def test_a_certificate_that_ends_soon_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as briefly:
        briefly.setattr(room, "LIFE", datetime.timedelta(days=20))
        old = room.certificate("192.168.7.7")
    new = room.certificate("192.168.7.7")
    assert new.fingerprint != old.fingerprint
    assert room.certificate("192.168.7.7") == new


def test_the_code_in_the_terminal_leads_to_the_address_under_it() -> None:
    address = "https://192.168.7.7:8501"
    text = room.invitation(address, "AB:CD")
    assert address in text
    assert "AB:CD" in text
    lines = [line for line in text.split("\n  https")[0].splitlines() if line]
    # Each character is two modules, one above the other; what is drawn is light on dark ground.
    drawn = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    modules = np.concatenate([np.array([drawn[mark] for mark in line]).T for line in lines])
    picture = np.kron(modules, np.full((8, 8), 255)).astype(np.uint8)
    read, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert read == address


def test_caddy_is_told_the_address_the_files_and_where_the_app_is() -> None:
    made = room.Certificate(Path("/c.pem"), Path("/c.key"), "AB:CD")
    site = "https://192.168.7.7:8501"
    told = templates.template(room.CADDYFILE).render(
        site=site, behind=[8502, 8503], certificate=made
    )
    lines = [line.strip() for line in told.splitlines()]
    assert f"{site} {{" in lines
    assert "tls /c.pem /c.key" in lines
    assert "reverse_proxy localhost:8502 localhost:8503 {" in lines


@pytest.mark.parametrize(
    ("cores", "gibibytes", "expected"), [(2, 2, 1), (2, 8, 2), (16, 5, 2), (16, 64, 4), (1, 1, 1)]
)
def test_a_room_has_a_server_a_core_where_there_is_memory_for_them(
    monkeypatch: pytest.MonkeyPatch, cores: int, gibibytes: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(
        os, "sysconf", {"SC_PHYS_PAGES": gibibytes * 2**18, "SC_PAGE_SIZE": 4096}.get
    )
    assert room.servers() == expected


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Caddy that ends at once and servers that only live, in place of a room's own."""
    for name, script in (("caddy", "echo Somebody else listens >&2"), ("python", "exec sleep 3")):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("place", [0, 1])
def test_nobody_is_invited_to_a_room_whose_ports_are_taken(
    place: int, capsys: pytest.CaptureFixture
) -> None:
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        assert room.main(port - place) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    # On a busy machine somebody may have the port before, too.
    named = rf"can't have port ({port - place}|{port}) \(Address already in use\)"
    assert re.search(named, printed.err)


@pytest.mark.usefixtures("stand_ins")
def test_where_caddy_ends_the_room_does_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(room, "refusal", lambda ports: "")  # nobody listens here
    assert room.main(8501) == 1
    assert "Caddy has ended" in (said := capsys.readouterr().err)
    assert "Somebody else listens" in said


@pytest.mark.slow
@pytest.mark.caddy
def test_behind_caddy_a_browser_stays_with_its_server_and_goes_on_with_another_when_that_ends(
    tmp_path: Path,
) -> None:
    front, *behind = [free_port() for _ in range(3)]
    commands = []
    for port in behind:
        folder = tmp_path / str(port)
        folder.mkdir()
        (folder / "index.html").write_text(str(port))
        commands.append([sys.executable, "-m", "http.server", str(port), "-d", str(folder)])
    site = f"http://localhost:{front}"
    patient = HTTPAdapter(max_retries=Retry(20, backoff_factor=0.1, status_forcelist=[502]))
    with (
        room.started(commands) as servers,
        room.caddy(site, behind, None),
        requests.Session() as browser,
    ):
        browser.mount(site, patient)
        answers = {browser.get(site).text for _ in range(10)}
        [own] = answers
        ended = servers[behind.index(int(own))]
        ended.terminate()
        ended.wait()
        assert {browser.get(site).text, own} == {str(port) for port in behind}
