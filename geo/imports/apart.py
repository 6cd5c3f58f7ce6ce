"""A module of ours run in a process apart, and the limits it puts on itself there; imports little: every child pays for it."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]


def run_apart(module: str, arguments: Sequence[str], *, seconds: float) -> bool:
    """Run a module of ours in a process of its own, and say whether it came to its end in time."""
    try:
        # Not a fork: a worker may not fork, and a fork would share its memory and connections.
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def confine(*, memory: int, cpu_seconds: int, output: int) -> None:
    """Put limits on this process: bytes of memory, seconds of work, bytes of any file it writes."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
