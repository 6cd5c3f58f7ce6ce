"""Plain contents lie in a folder of their process, and nothing is left of one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from geo.kept.scratch import PREFIX, sweep

ROOT = Path(__file__).resolve().parents[3]
PROCESS = """
import os, sys, tempfile, time
from pathlib import Path
from geo.kept.scratch import begin
begin(Path(sys.argv[1]))
if sys.argv[2] == "fork" and os.fork():
    os.wait()
    sys.exit()
folder = tempfile.mkdtemp()
(Path(folder) / "plain").write_text("310101201809150018")
print(folder, flush=True)
sys.stdin.read()
"""


def started(root: Path, how: str = "") -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(root), how],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize("how", ["", "fork"])
def test_what_a_killed_process_left_goes_and_what_a_living_one_needs_stays(tmp_path: Path, how: str) -> None:
    root = tmp_path / "scratch"
    killed, left = started(root)
    living, needed = started(root, how)
    try:
        assert root.stat().st_mode & 0o077 == 0
        assert needed.parent.stat().st_mode & 0o077 == 0
        assert needed.is_relative_to(root)
        assert needed.parent != left.parent
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert (left / "plain").exists(), "nobody sweeps while the process dies: the test would prove nothing"
        sweep(root)
        assert not left.parent.exists()
        assert (needed / "plain").exists()
    finally:
        for process in (killed, living):
            end(process)
    sweep(root)
    assert [path for path in root.iterdir() if path.name.startswith(PREFIX)] == []


def test_a_process_that_begins_sweeps(tmp_path: Path) -> None:
    first, left = started(tmp_path)
    end(first)
    assert left.exists()
    second, _ = started(tmp_path)
    end(second)
    assert not left.exists()
    assert os.listdir(tmp_path)
