"""Scripts are small modules that import downwards only: a circle could not carry names made from content."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "web" / "static" / "js"
IMPORT = re.compile(r"""(?:from\s+|import\(\s*|import\s+)['"](\./[^'"]+)['"]""")


def test_modules_import_each_other_without_circles() -> None:
    imports = {path.name: set(IMPORT.findall(path.read_text(encoding="utf-8"))) for path in SCRIPTS.glob("*.js")}
    needed = {name: {other.removeprefix("./") for other in others} for name, others in imports.items()}
    assert {other for others in needed.values() for other in others} <= set(needed)
    order = list(TopologicalSorter(needed).static_order())  # raises CycleError
    assert order.index("answer.js") < order.index("list.js") < order.index("map.js") < order.index("door.js")
