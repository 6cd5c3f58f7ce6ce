"""PDF from a typst text and data. Runs in the child only.

Data reaches typst as one JSON value through ``sys.inputs``, never as text of the programme; the text sees no file but its own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import orjson
import typst

from services.kernel.documents.reasons import Refused


def typeset(source: Path, data: dict[str, Any], fonts: Path) -> bytes:
    """Return a typst text with data as PDF. Raises ``Refused`` with the words of the compiler when the text is wrong."""
    with tempfile.TemporaryDirectory(prefix="quantu-typst-") as name:
        folder = Path(name)
        main = folder / "main.typ"
        main.write_bytes(source.read_bytes())
        try:
            made = typst.compile(
                main,
                root=folder,
                font_paths=[fonts],
                ignore_system_fonts=True,
                sys_inputs={"data": orjson.dumps(data).decode()},
                package_path=folder / "none",
                package_cache_path=folder / "none",
                timestamp=0,
            )
        except typst.TypstError as fault:
            raise Refused("template_failed", str(fault).splitlines()[0][:120]) from fault
    assert isinstance(made, bytes)
    return made
