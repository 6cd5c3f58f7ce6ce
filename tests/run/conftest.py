"""A ./run of the test's own: its own state folder, its own servers, nothing of the caller's environment."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("QUANTU_", "DATABASE_URL", "REDIS_URL", "NUMBA_CACHE_DIR", "PORT", "DJANGO_", "PYTEST_", "CI")


@dataclass(slots=True)
class House:
    """One state folder and the ./run that works on it."""

    state: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    prefix: list[str] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OURS) or name.startswith("QUANTU_BREAK")
        }
        return kept | {"QUANTU_STATE": str(self.state), "PORT": str(self.port)} | self.settings

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        command = [*self.prefix, str(ROOT / "run"), *arguments]
        return subprocess.Popen(
            command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``./run`` with these arguments and see that it ends with ``code``."""
        process = self.begin(*arguments)
        stdout, stderr = process.communicate(timeout=200)
        assert process.returncode == code, (
            f"./run {' '.join(arguments)} ended with {process.returncode}:\n{stdout}\n{stderr}"
        )
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)

    def setting(self, name: str) -> str:
        lines = dict(line.split("=", 1) for line in (self.state / "environment").read_text().splitlines())
        return lines[name]

    def process(self, name: str) -> int:
        return int((self.state / "pids" / name).read_text().split()[0])


def make_house(folder: Path) -> House:
    """Make a state folder that shares this virtualenv and its compiled code, and starts with no city."""
    state = folder / "state"
    state.mkdir(parents=True)
    (state / "venv").symlink_to(Path(sys.prefix))
    compiled = Path(sys.prefix).parent / "numba"
    compiled.mkdir(exist_ok=True)
    (state / "numba").symlink_to(compiled)
    (state / "left-empty").touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return House(state, port)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.run("reset", "--yes")
    shutil.rmtree(made.state)
