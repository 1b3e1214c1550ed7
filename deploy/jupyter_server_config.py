"""The studio inside a Jupyter server, at its address and /studio.

jupyter lab --config deploy/jupyter_server_config.py, with jupyter-server-proxy beside Jupyter.
"""

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

c = get_config()  # noqa: F821 - Jupyter gives it
c.ServerProxy.servers = {
    "studio": {
        "command": [
            str(PROJECT / ".venv" / "bin" / "streamlit"),
            "run",
            str(PROJECT / "serve.py"),
            "--server.port={port}",
            "--server.baseUrlPath={base_url}studio",
            "--server.headless=true",
        ],
        "absolute_url": True,
        "timeout": 120,
        "launcher_entry": {"title": "Fashion-MNIST Studio"},
    }
}
