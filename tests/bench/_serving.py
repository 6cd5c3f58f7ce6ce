"""A server process for benchmarks, as ``./run`` starts it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
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


@contextmanager
def front(address: str) -> Iterator[str]:
    """Put nginx in front of a server with the settings of ``./run``; give the address people would ask."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="quantu-bench-") as folder:
        place = Path(folder)
        (place / "nginx").mkdir()
        facts = {
            "USER": "user root;" if os.geteuid() == 0 else "",
            "LISTEN": f"127.0.0.1:{port}",
            "TLS": "",
            **dict.fromkeys(("NGINX", "LOGS", "STATE", "SCRATCH"), folder),
        }
        text = (ROOT / "web" / "serving" / "nginx.conf").read_text(encoding="utf-8")
        text = text.replace("unix:@WEB_SOCKET@", address.removeprefix("http://")).replace(
            "unix:@STREAM_SOCKET@", "127.0.0.1:9"
        )
        written = place / "nginx.conf"
        written.write_text(re.sub(r"@([A-Z]+)@", lambda name: facts[name[1]], text), encoding="utf-8")
        nginx = subprocess.Popen(["nginx", "-e", "stderr", "-g", "daemon off;", "-c", str(written)])
        try:
            _await(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.terminate()
            nginx.wait(timeout=20)
