"""Runs TiPg 1.6.1 over a database: the peer of the tile benchmark, with its default settings and one process.

It is fetched once, with the ordinary package client, into an environment of its own below ``QUANTU_BENCH_CACHE``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.bench._valhalla import CACHE

VERSION = "1.6.1"


def installed() -> Path | None:
    """Return the folder of the peer's programs, fetching it when needed; ``None`` when it cannot be had."""
    programs = CACHE / f"tipg-{VERSION}" / "bin"
    if (programs / "uvicorn").exists():
        return programs
    try:
        subprocess.run(
            [sys.executable, "-m", "venv", str(programs.parent)], check=True, capture_output=True, timeout=120
        )
        wanted = [f"tipg=={VERSION}", "uvicorn"]
        subprocess.run([str(programs / "pip"), "install", "-q", *wanted], check=True, capture_output=True, timeout=600)
    except (subprocess.SubprocessError, OSError):
        return None
    return programs


@contextmanager
def serving(socket_folder: str, user: str, database: str) -> Iterator[str | None]:
    """Serve a database for as long as the block lasts; give the address, ``None`` when the peer cannot be had."""
    programs = installed()
    if programs is None:
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(programs / "uvicorn"),
        "tipg.main:app",
        "--port",
        str(port),
        "--log-level",
        "error",
        "--no-access-log",
    ]
    place = f"postgresql://{user}@{quote(socket_folder, safe='')}/{database}"
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": place, "TIPG_DB_TABLES": TABLES}, cwd=CACHE)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/healthz", process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


TABLES = '["public.bench_points", "public.bench_shapes"]'


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > until or process.poll() is not None:
                raise
            time.sleep(0.2)
