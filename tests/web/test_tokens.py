"""Every colour, size and space that a style or a script names is one that is defined."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).resolve().parents[2] / "web" / "static"
STYLES: Final = sorted((STATIC / "css").glob("*.css"))
SCRIPTS: Final = sorted((STATIC / "js").glob("*.js"))


def found(pattern: str, files: list[Path]) -> dict[str, str]:
    """Return the names a pattern finds in files, each with the first file that has it."""
    named: dict[str, str] = {}
    for file in files:
        for name in re.findall(pattern, file.read_text(encoding="utf-8")):
            named.setdefault(name, file.name)
    return named


def test_every_token_that_is_used_is_defined() -> None:
    defined = found(r"(--[a-z0-9-]+)\s*:", STYLES) | found(r"setProperty\(\s*['\"](--[a-z0-9-]+)", SCRIPTS)
    used = found(r"var\(\s*(--[a-z0-9-]+)\s*\)", STYLES) | found(r"token\('(--[a-z0-9-]+)'", SCRIPTS)
    assert len(used) > 60
    assert {name: file for name, file in used.items() if name not in defined} == {}
