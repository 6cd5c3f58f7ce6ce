"""The page of threats names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LINE: Final = re.compile(r"\| (.+) \| `(tests/[\w/]+\.py)::(test_\w+)` \|")


def test_every_clause_of_the_threats_has_a_test_that_exists() -> None:
    table = (ROOT / "docs/threats.md").read_text(encoding="utf-8").partition("|---|---|\n")[2].splitlines()
    assert len(table) > 50
    for line in table:
        found = LINE.fullmatch(line)
        assert found, line
        tree = ast.parse((ROOT / found[2]).read_text(encoding="utf-8"))
        assert found[3] in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, line
