import datetime
import hashlib
import ssl

import cv2
import numpy as np
import pytest

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
    told = templates.template(room.CADDYFILE).render(
        address="192.168.7.7", port=8501, behind=8502, chain="/c.pem", key="/c.key"
    )
    lines = [line.strip() for line in told.splitlines()]
    assert "https://192.168.7.7:8501 {" in lines
    assert "tls /c.pem /c.key" in lines
    assert "reverse_proxy localhost:8502 {" in lines
