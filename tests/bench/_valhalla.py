"""Runs Valhalla 3.9.1 on the same roads: the peer of the routing benchmarks.

Its wheel is fetched once, with the ordinary package client, into ``QUANTU_BENCH_CACHE`` (``~/.cache/quantu-bench``); only the
programs inside are used, so the Python version of the wheel does not matter.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSION = "3.9.1"
CACHE = Path(os.environ.get("QUANTU_BENCH_CACHE", Path.home() / ".cache" / "quantu-bench"))


def installed() -> Path | None:
    """Return the folder of the unpacked wheel, fetching it when needed; ``None`` when it cannot be had."""
    folder = CACHE / f"valhalla-{VERSION}"
    if (folder / "valhalla" / "bin" / "valhalla_service").exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    wanted = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64"]
    fetch = [sys.executable, "-m", "pip", "download", "-q", *wanted, "-d", str(CACHE), f"pyvalhalla=={VERSION}"]
    try:
        subprocess.run(fetch, check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError):
        return None
    for wheel in CACHE.glob(f"pyvalhalla-{VERSION}-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    for program in (folder / "valhalla" / "bin").glob("*"):
        program.chmod(0o755)
    return folder


def _tiles(folder: Path, pbf: Path) -> Path:
    """Build the peer's graph of a PBF file once; return its configuration."""
    place = CACHE / f"tiles-{VERSION}-{pbf.stem}-{pbf.stat().st_size}"
    configuration = place / "valhalla.json"
    if configuration.exists():
        return configuration
    place.mkdir(parents=True, exist_ok=True)
    script = folder / "valhalla" / "valhalla_build_config.py"
    options = ["--mjolnir-tile-dir", str(place / "tiles"), "--mjolnir-concurrency", "2"]
    made = subprocess.run([sys.executable, str(script), *options], check=True, capture_output=True, text=True).stdout
    settings = json.loads(made)
    for part in ("admin", "timezone", "landmarks", "tile_extract", "traffic_extract"):
        settings["mjolnir"].pop(part, None)
    draft = place / "draft.json"
    draft.write_text(json.dumps(settings), encoding="utf-8")
    build = [str(folder / "valhalla" / "bin" / "valhalla_build_tiles"), "-c", str(draft), str(pbf)]
    subprocess.run(build, check=True, capture_output=True, timeout=900)
    draft.rename(configuration)
    return configuration


class Service:
    """A running peer, asked over one kept-alive loopback connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, path: str, question: dict[str, Any] | None = None) -> tuple[float, dict[str, Any]]:
        """Return the seconds an answer took, from first byte sent to last byte read, and the answer."""
        body = json.dumps(question or {}).encode()
        began = time.perf_counter()
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse().read()
        took = time.perf_counter() - began
        return took, json.loads(answer)


@contextmanager
def serving(pbf: Path) -> Iterator[Service | None]:
    """Serve a PBF file with one worker for as long as the block lasts; yield ``None`` when the peer cannot be had."""
    folder = installed()
    if folder is None:
        yield None
        return
    settings = json.loads(_tiles(folder, pbf).read_text(encoding="utf-8"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = CACHE / f"run-{os.getpid()}"
    place.mkdir(exist_ok=True)
    settings["httpd"]["service"] |= {
        "listen": f"tcp://127.0.0.1:{port}",
        "loopback": f"ipc://{place}/loopback",
        "interrupt": f"ipc://{place}/interrupt",
    }
    for part in ("loki", "thor", "odin"):
        settings[part]["service"]["proxy"] = f"ipc://{place}/{part}"
    for part in ("loki", "thor", "odin", "meili", "mjolnir"):
        settings[part].setdefault("logging", {})["type"] = ""
    configuration = place / "valhalla.json"
    configuration.write_text(json.dumps(settings), encoding="utf-8")
    process = subprocess.Popen(
        [str(folder / "valhalla" / "bin" / "valhalla_service"), str(configuration), "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _wait(port)
    finally:
        # It waits for its workers to drain when asked politely, which takes half a minute.
        process.kill()
        process.wait(timeout=10)
        shutil.rmtree(place, ignore_errors=True)


def _wait(port: int) -> Service:
    deadline = time.monotonic() + 30
    while True:
        try:
            service = Service(port)
            service.ask("/status")
            return service
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
