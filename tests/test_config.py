"""What .streamlit/config.toml promises, read back as Streamlit itself resolves it."""

import subprocess
import sys
import tomllib

from fmnist import PROJECT
from fmnist.weights.strangers import formats

SETTINGS = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())


def resolved(*names: str) -> list[str]:
    """What Streamlit makes of the settings in this project."""
    script = (
        "import sys; from streamlit import config\n"
        "for name in sys.argv[1:]: print(config.get_option(name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *names], cwd=PROJECT, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def test_the_server_is_closed_to_the_outside_by_default() -> None:
    names = (
        "server.address",
        "server.maxUploadSize",
        "server.enableXsrfProtection",
        "server.enableCORS",
        "browser.gatherUsageStats",
        "client.showErrorDetails",
    )
    assert resolved(*names) == ["localhost", "68", "True", "True", "False", "none"]


def test_no_click_waits_for_a_collection_of_all_garbage() -> None:
    assert resolved("runner.postScriptGC") == ["False"]


def test_the_server_takes_the_largest_file_that_the_models_page_offers_to_open() -> None:
    (megabytes,) = resolved("server.maxUploadSize")
    assert 0 <= int(megabytes) * 2**20 - formats.largest() < 2**20


def test_make_app_opens_the_server_only_when_a_host_is_given() -> None:
    for arguments, address in (([], "localhost"), (["HOST=0.0.0.0"], "0.0.0.0")):
        printed = subprocess.run(
            ["make", "--dry-run", "app", *arguments], cwd=PROJECT, capture_output=True, text=True
        ).stdout
        assert f"--server.address {address} " in printed


def test_light_and_dark_each_set_the_same_colours() -> None:
    theme = SETTINGS["theme"]
    assert theme["light"].keys() == theme["dark"].keys()
    assert all(theme["light"][name] != theme["dark"][name] for name in theme["light"])


def test_requirements_ask_for_the_torch_pair_that_works_together() -> None:
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    assert "torch==2.15.0" in lines
    assert "torchvision==0.29.2" in lines
