"""A server process for benchmarks, as ``./run`` starts it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench._scratch import ROOT


@contextmanager
def server(env: dict[str, str]) -> Iterator[str]:
    """Serve the application on a free port as ``./run`` does, with one worker, warmed up; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(
            str(Path(sys.executable).with_name("granian")),
            "--interface",
            "wsgi",
            "--http",
            "1",
            "--no-ws",
            "--workers",
            "1",
        ),
        *(
            "--blocking-threads",
            "8",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "warning",
            "web.wsgi:application",
        ),
    ]
    server = subprocess.Popen(command, cwd=ROOT, env={**env, "QUANTU_POOL": "1", "QUANTU_WARM_UP": "1"})
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def _await(address: str) -> None:
    until = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{address}/api/v1/kinds", timeout=30).raise_for_status()
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
