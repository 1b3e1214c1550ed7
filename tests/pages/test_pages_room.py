import pytest
from opening import open_page, texts

from fmnist.ui.parts import classify, room


@pytest.mark.parametrize(
    ("address", "secure"),
    [
        ("https://192.168.7.7:8501/classify", True),
        ("http://localhost:8501/classify", True),
        ("http://127.0.0.1:8501", True),
        ("http://192.168.7.7:8501/classify", False),
        ("http://localhost.example.org/", False),
    ],
)
def test_a_camera_is_offered_where_browsers_give_theirs(address: str, secure: bool) -> None:
    assert classify._is_secure(address) == secure


def test_without_a_camera_the_page_says_why_and_takes_a_picture_by_the_phones_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classify, "_is_secure", lambda address: False)
    app = open_page("classify", way="Camera")
    assert any("HTTPS only" in told.value for told in app.info)
    assert not app.get("camera_input")
    assert [uploader.proto.label for uploader in app.get("file_uploader")]


def test_the_room_page_shows_the_address_the_steps_and_the_fingerprint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FMNIST_ROOM", "https://192.168.7.7:8501")
    monkeypatch.setenv("FMNIST_FINGERPRINT", "AB:CD")
    app = open_page("room")
    assert "https://192.168.7.7:8501" in [header.value for header in app.header]
    assert "AB:CD" in texts(app)
    assert len([step for step in app.markdown if step.value[:2] in ("1.", "2.", "3.")]) == 3


@pytest.mark.parametrize(("scheme", "steps"), [("http", 1), ("https", 2)])
def test_where_others_serve_it_the_page_shows_their_address(
    scheme: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FMNIST_ROOM", raising=False)
    monkeypatch.delenv("FMNIST_FINGERPRINT", raising=False)
    monkeypatch.setattr(room, "address", lambda: f"{scheme}://example.org/studio")
    app = open_page("room")
    assert f"{scheme}://example.org/studio" in [header.value for header in app.header]
    assert "fingerprint" not in texts(app)
    assert len([step for step in app.markdown if step.value[:2] in ("1.", "2.", "3.")]) == steps


def test_without_a_room_the_page_says_how_to_serve_one() -> None:
    app = open_page("room")
    assert any("make room" in told.value for told in app.info)
    assert not [header for header in app.header if "://" in header.value]
