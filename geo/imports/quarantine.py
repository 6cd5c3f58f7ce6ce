"""Reading files from strangers in a process apart, with limits on memory, time and output: whatever they do, they do there.

The child answers JSON of plain values and WKB, made by our own code from shapes that passed the limits.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import orjson
import shapely

from geo.crs import System
from geo.errors import CityError
from geo.imports.apart import confine, run_apart
from geo.imports.faults import SourceRefused
from geo.imports.readers import Reading, read_file

MEMORY: Final = 2_500_000_000
CPU_SECONDS: Final = 60
WALL_SECONDS: Final = 120.0
OUTPUT: Final = 500_000_000
NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes the character of number 0."""


def read_apart(
    path: Path,
    *,
    format: str,
    datum: System | None,
    layer: str = "",
    seconds: float = WALL_SECONDS,
    memory: int = MEMORY,
) -> Reading:
    """Read a file as ``readers.read_file`` does, in a child process with limits.

    Raises what the reader raises, and ``SourceRefused("reader_died")`` when the child was killed, crashed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="quantu-read-") as folder:
        answer = Path(folder) / "answer"
        asked = [str(path.resolve()), format, str(datum or System.CGCS2000), layer, str(answer), str(memory)]
        if not run_apart("geo.imports.quarantine", asked, seconds=seconds) or not answer.exists():
            raise SourceRefused("reader_died", path.name)
        return _reading(orjson.loads(answer.read_bytes()))


def _read(path: str, format: str, datum: str, layer: str, answer: str, memory: str) -> None:
    confine(memory=int(memory), cpu_seconds=CPU_SECONDS, output=OUTPUT)
    try:
        reading = read_file(Path(path), format=format, datum=System(datum), layer=layer)
    except CityError as fault:
        found: dict[str, Any] = {"refused": fault.code, "message": fault.message}
    else:
        found = {
            "columns": reading.columns,
            "records": list(reading.records),
            "shapes": [None if shape is None else shapely.to_wkb(shape, hex=True) for shape in reading.shapes],
            "encoding": reading.encoding,
            "faults": list(reading.faults.items()),
            "corners": list(reading.corners),
            "said": reading.said,
        }
    written = orjson.dumps(found, default=str)
    if NUL.search(written):  # no text of ours can hold it, and no honest file does
        refused = SourceRefused("file_unreadable", Path(path).name)
        written = orjson.dumps({"refused": refused.code, "message": refused.message})
    Path(answer).write_bytes(written)


def _reading(found: dict[str, Any]) -> Reading:
    if "refused" in found:
        fault = SourceRefused("file_unreadable")
        fault.code, fault.message = found["refused"], found["message"]
        raise fault
    return Reading(
        columns=tuple(found["columns"]),
        records=found["records"],
        shapes=[None if text is None else shapely.from_wkb(text) for text in found["shapes"]],
        encoding=found["encoding"],
        faults=dict(found["faults"]),
        corners=[(x, y) for x, y in found["corners"]],
        said=found["said"],
    )


if __name__ == "__main__":
    _read(*sys.argv[1:])
