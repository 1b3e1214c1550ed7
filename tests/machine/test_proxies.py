"""Behind a proxy and under its path the studio is what it is without, by the files of deploy/."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PAGES, serve, started, wait_for
from loops import finished

from benchmarks.studio import free_port
from benchmarks.visitor import Visitor
from fmnist import PROJECT

pytestmark = pytest.mark.slow


async def visit(address: str) -> None:
    async with Visitor(address, random.Random(0)) as visitor:
        await visitor.open()
        assert visitor.pages.keys() >= PAGES.keys()
        await visitor.turn("Errors")
        await visitor.click()
        await visitor.turn("Classify", "way=Upload")
        await visitor.upload("broken.png", b"\x89PNG\r\n\x1a\n and no more" + bytes(2**21))


@pytest.fixture
def nginx(tmp_path: Path, answers_folder: Path) -> Iterator[str]:
    """The address of a studio that nginx hands on to."""
    with serve(tmp_path, answers_folder, "class/studio") as address:
        port = free_port()
        behind = address.removeprefix("http://localhost:").removesuffix("/class/studio")
        part = (PROJECT / "deploy" / "nginx.conf").read_text().replace("8501", behind)
        whole = Path(__file__).with_name("nginx.conf").read_text().replace("8080", str(port))
        (tmp_path / "studio.conf").write_text(part)
        (tmp_path / "nginx.conf").write_text(whole)
        log = tmp_path / "nginx.log"
        with log.open("wb") as output:
            proxy = subprocess.Popen(
                ["nginx", "-p", tmp_path, "-c", "nginx.conf", "-e", "stderr"],
                stdout=output,
                stderr=output,
            )
        front = f"http://127.0.0.1:{port}/class/studio"
        try:
            wait_for(proxy, f"{front}/_stcore/health", log)
            yield front
        finally:
            proxy.terminate()
            proxy.wait()


@pytest.mark.nginx
def test_behind_nginx_a_visitor_turns_pages_clicks_and_uploads(nginx: str) -> None:
    finished(visit(nginx))


def test_in_a_jupyter_server_a_visitor_turns_pages_clicks_and_uploads(
    tmp_path: Path, answers_folder: Path
) -> None:
    port = free_port()
    jupyter = ["-m", "jupyter_server", "--allow-root", "--no-browser", f"--port={port}"]
    jupyter += ["--ServerApp.base_url=/user/ana/", "--IdentityProvider.token="]
    # Its proxy logs a traceback where a tab closes before its answer has come; the app's own stay.
    jupyter += ["--log-level=CRITICAL"]
    jupyter += ["--config", str(PROJECT / "deploy" / "jupyter_server_config.py")]
    address = f"http://localhost:{port}/user/ana/studio"
    with started(jupyter, address, tmp_path, answers_folder):
        finished(visit(address))
