"""Questions put to a process apart: a JSON request in one file, a JSON answer in another, limits on memory, time and output.

The child runs no Django. What it raises as ``Refused`` comes back as such; a child that dies, whatever of, is ``file_exploded``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from geo.imports.apart import confine, run_apart
from services.kernel.documents.reasons import Refused

MEMORY: Final = 2_000_000_000
OUTPUT: Final = 200_000_000
CPU_SECONDS: Final = 60
SECONDS: Final = 60.0


def ask_apart(module: str, request: Mapping[str, Any], *, seconds: float = SECONDS) -> dict[str, Any]:
    """Run a module of ours apart on a request and return its answer. Raises ``Refused``."""
    with tempfile.TemporaryDirectory(prefix="quantu-document-") as folder:
        asked, answer = Path(folder) / "request", Path(folder) / "answer"
        asked.write_bytes(orjson.dumps(request))
        arrived = run_apart(module, [str(asked), str(answer)], seconds=seconds) and answer.exists()
        found: dict[str, Any] = orjson.loads(answer.read_bytes()) if arrived else {"refused": "file_exploded"}
    if "refused" in found:
        raise Refused(found["refused"], found.get("found", ""))
    return found


def answer_apart(work: Callable[[dict[str, Any]], dict[str, Any]], *, memory: int = MEMORY) -> None:
    """In the child: read the request named on the command line, work under limits, leave the answer."""
    request, answer = Path(sys.argv[1]), Path(sys.argv[2])
    asked = orjson.loads(request.read_bytes())
    confine(memory=memory, cpu_seconds=CPU_SECONDS, output=OUTPUT)
    try:
        found = work(asked)
    except Refused as refused:
        found = {"refused": refused.code, "found": refused.found}
    except MemoryError:
        found = {"refused": "file_exploded"}
    answer.write_bytes(orjson.dumps(found))
