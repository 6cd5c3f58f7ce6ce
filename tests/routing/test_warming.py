from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = """
from routing.warming import warm
from routing import contours, mending, places, rings, search, shores, snap, surface
warm()
kernels = [snap._snap_one, search._start, search._advance, places._measure, places._gather, surface._fill, contours.trace,
           contours.simplify, contours.nest, contours.emit, rings._band_sides, rings._are_simple, mending._misplaced,
           shores._look]
assert all(len(kernel.signatures) == 1 for kernel in kernels), [k.__name__ for k in kernels if len(k.signatures) != 1]
print("warm")
"""


def test_a_warmed_process_has_every_kernel_of_a_request():
    done = subprocess.run(
        [sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("warm", "")
