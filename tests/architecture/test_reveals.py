"""Sealed contents reach a screen in two ways only: masked, or by an act that leaves a line in the audit log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENING = re.compile(r"(?<![\w.])(unseal|unseal_contact|reveal_secrets)\(")
MASKED = re.compile(r"mask_\w+\(\s*unseal\(")
EDGES = sorted((ROOT / "web").rglob("*.py"))


@pytest.mark.parametrize(
    "path", [path for path in EDGES if OPENING.search(path.read_text())], ids=lambda path: path.name
)
def test_a_page_opens_only_what_it_masks(path: Path) -> None:
    text = path.read_text()
    assert len(OPENING.findall(text)) == len(MASKED.findall(text)), f"{path.name} shows what is sealed"


def test_every_act_that_reveals_writes_an_audit_entry() -> None:
    found = 0
    for path in (ROOT / "services").rglob("*.py"):
        for function in re.split(r"\n(?=def |@)", path.read_text()):
            if re.match(r"def reveal_(?!secrets)\w+\(", function):
                found += 1
                assert "record_audit(" in function, f"{path}: {function[:60]}"
    assert found
