"""Scripts are small modules that import downwards only: a circle could not carry names made from content."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from django.core.management import call_command

SCRIPTS = Path(__file__).resolve().parents[2] / "web" / "static" / "js"
IMPORT = re.compile(r"""(?:from\s+|import\(\s*|import\s+)['"](\./[^'"]+)['"]""")


def test_modules_import_each_other_without_circles() -> None:
    imports = {path.name: set(IMPORT.findall(path.read_text(encoding="utf-8"))) for path in SCRIPTS.glob("*.js")}
    needed = {name: {other.removeprefix("./") for other in others} for name, others in imports.items()}
    assert {other for others in needed.values() for other in others} <= set(needed)
    order = list(TopologicalSorter(needed).static_order())  # raises CycleError
    assert order.index("answer.js") < order.index("list.js") < order.index("map.js") < order.index("door.js")


def test_every_static_file_gets_its_name_by_content(tmp_path: Path, settings: Any) -> None:
    # a comment with the word "export" before an import is taken for one: what is served in front would not come to be
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "web.static_files.HashedFiles"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "staticfiles.json").is_file()
