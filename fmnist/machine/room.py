"""The app for a room on the local network, over HTTPS: `python -m fmnist.machine.room PORT`."""

import datetime
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import segno
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from fmnist import PROJECT
from fmnist.machine import files, templates
from fmnist.machine.files import write_whole

LIFE = datetime.timedelta(days=397)  # phones trust no certificate for longer
RENEWED = datetime.timedelta(days=30)  # before its end
ROOM = 2 * 2**30
"""Bytes of memory that a machine has for each server: its models, and what is computed aside."""
MOST = 4
"""How many servers there are at the most."""
LAST_LINES = 5
"""Of what Caddy has told, those that say why it has ended."""
CADDYFILE = Path(__file__).with_name("Caddyfile.j2")


class Certificate(NamedTuple):
    """A certificate and its key as files, and what tells it from others, as browsers write it."""

    chain: Path
    key: Path
    fingerprint: str


class Front(NamedTuple):
    """Caddy, and the file in which it tells of itself."""

    process: subprocess.Popen[bytes]
    log: Path


def own_address() -> str:
    """This machine's address on the local network; its loopback where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        try:
            out.connect(("192.0.2.1", 9))  # nothing is sent; the system says by which way it would
        except OSError:
            return "127.0.0.1"
        address: str = out.getsockname()[0]
        return address


def certificate(address: str) -> Certificate:
    """The certificate for that address: made at the first start, kept for the next ones."""
    folder = files.CACHE / "room"
    chain, key = folder / f"{address}.pem", folder / f"{address}.key"
    if not (chain.exists() and key.exists() and _lasts(chain)):
        made = trustme.CA(organization_name="Fashion-MNIST Studio").issue_cert(
            address, "localhost", not_after=datetime.datetime.now(datetime.UTC) + LIFE
        )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # the key is nobody else's
        write_whole(key, made.private_key_pem.bytes())
        write_whole(chain, b"".join(pem.bytes() for pem in made.cert_chain_pems))
    fingerprint = _read(chain).fingerprint(SHA256()).hex(":").upper()
    return Certificate(chain, key, fingerprint)


def _read(chain: Path) -> x509.Certificate:
    """The server's own certificate, which is the first in the file."""
    return x509.load_pem_x509_certificate(chain.read_bytes())


def _lasts(chain: Path) -> bool:
    """Whether a certificate will do for some time yet."""
    return _read(chain).not_valid_after_utc - datetime.datetime.now(datetime.UTC) > RENEWED


def invitation(address: str, fingerprint: str) -> str:
    """What the terminal says: a code to scan, the address, and what phones will ask."""
    code = io.StringIO()
    segno.make(address, error="m").terminal(code, compact=True)
    return (
        f"{code.getvalue()}\n  {address}\n\n"
        f"  For the projector: {address}/room\n"
        "  Phones will warn: this machine made its certificate itself. Its SHA-256 fingerprint:\n"
        f"  {fingerprint}\n"
    )


def servers() -> int:
    """How many servers a room gets behind Caddy: one has one interpreter, which fills one core."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(MOST, os.cpu_count() or 1, memory // ROOM))


def refusal(ports: Iterable[int]) -> str:
    """Why a room can't have these ports, or nothing."""
    for port in ports:
        with socket.socket() as tried:
            # Connections of a room that has just ended don't count.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("", port))
            except (OSError, OverflowError) as error:  # the latter where there is no such port
                reason = getattr(error, "strerror", error)
                return (
                    f"The room can't have port {port} ({reason}). "
                    "Choose another: make room PORT=NUMBER"
                )
    return ""


@contextmanager
def caddy(site: str, behind: Sequence[int], certificate: Certificate | None) -> Iterator[Front]:
    """Caddy between the network and servers at these ports: it encrypts, compresses and spreads."""
    with tempfile.TemporaryDirectory() as folder:
        settings, log = Path(folder, "Caddyfile"), Path(folder, "log")
        values = {"site": site, "behind": behind, "certificate": certificate}
        settings.write_text(templates.template(CADDYFILE).render(values))
        command = ["caddy", "run", "--config", str(settings), "--adapter", "caddyfile"]
        with log.open("wb") as told, started([command], stderr=told.fileno()) as [process]:
            yield Front(process, log)


@contextmanager
def started(
    commands: Iterable[Sequence[str]],
    environment: Mapping[str, str] = os.environ,
    stderr: int | None = None,
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that end with the block."""
    processes = [
        subprocess.Popen(command, cwd=PROJECT, env=environment, stderr=stderr)
        for command in commands
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def until_an_end(processes: Sequence[subprocess.Popen[bytes]], front: Front | None) -> int:
    """Wait while one of the servers lives, and Caddy if it is in front; the exit status."""
    while any(process.poll() is None for process in processes):
        if front and front.process.poll() is not None:
            last = front.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
            print("Caddy has ended, and the room with it:", *last, sep="\n  ", file=sys.stderr)
            return 1
        time.sleep(0.5)
    return max(process.wait() for process in processes)


def main(port: int) -> int:
    """Serve the room until Ctrl-C or SIGTERM; with Caddy, and a server a core, where that is."""
    behind = range(port + 1, port + 1 + servers()) if shutil.which("caddy") else range(0)
    if refused := refusal([port, *behind]):
        print(refused, file=sys.stderr)
        return 1
    # What it has started ends with it, whoever ends it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    host = own_address()
    kept = certificate(host)
    address = f"https://{host}:{port}"
    print(invitation(address, kept.fingerprint), flush=True)
    environment = {**os.environ, "FMNIST_ROOM": address, "FMNIST_FINGERPRINT": kept.fingerprint}
    app = [sys.executable, "-m", "streamlit", "run", "serve.py", "--server.headless", "true"]
    with ExitStack() as stack:
        front = None
        if behind:
            front = stack.enter_context(caddy(address, behind, kept))
            # What the browser's address is checked against.
            app += ["--browser.serverAddress", host, "--browser.serverPort", str(port)]
            local = [*app, "--server.address", "localhost", "--server.port"]
            commands = [[*local, str(one)] for one in behind]
        else:
            app += ["--server.address", "0.0.0.0", "--server.port", str(port)]
            app += ["--server.sslCertFile", str(kept.chain), "--server.sslKeyFile", str(kept.key)]
            commands = [app]
        try:
            with started(commands, environment) as processes:
                return until_an_end(processes, front)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
