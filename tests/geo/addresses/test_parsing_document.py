"""Every example of docs/how-to/addresses.md is what the grammar says, and every code of the grammar has its example there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from geo.addresses.parsing import Gazetteer, full_text, normal_form, parse, read, roads_of
from geo.addresses.parsing.vocabulary import vocabulary
from tests.geo.addresses.test_parsing_cases import in_order, shown

DOCUMENT = Path(__file__).parents[3] / "docs/how-to/addresses.md"
KNOWN = Gazetteer(roads=roads_of(["云杉路", "望舒路"]))


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table whose heading row begins with these words."""
    lines = iter(DOCUMENT.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


@pytest.mark.parametrize(("written", "meant"), table("written | read as"))
def test_an_address_is_read_as_documented(written: str, meant: str) -> None:
    parsed = read(written)
    assert shown(parsed, meant) == in_order(meant)
    assert {piece.reason for piece in parsed.ignored} == {word[1:] for word in meant.split() if word[0] == "-"}


@pytest.mark.parametrize(("code", "written", "meaning"), table("note | for instance"))
def test_the_example_of_a_note_has_it(code: str, written: str, meaning: str) -> None:
    parsed = read(written, KNOWN if code == "`road_unknown`" else Gazetteer())
    assert meaning
    notes = {note for reading in parsed.addresses for note in reading.notes}
    doubts = {other.why for reading in parsed.addresses for other in reading.alternatives}
    assert code.strip("`") in {*parsed.notes, *notes, *doubts}


@pytest.mark.parametrize(("code", "written", "meaning"), table("reason | for instance"))
def test_the_example_of_a_reason_has_it(code: str, written: str, meaning: str) -> None:
    assert meaning
    assert code.strip("`") in {piece.reason for piece in read(written).ignored}


def test_every_code_is_documented() -> None:
    grammar = vocabulary().grammar
    # A field beyond 200 characters is no example for a table.
    assert {row[0].strip("`") for row in table("note | for instance")} == set(grammar["notes"]) - {"too_long"}
    assert {row[0].strip("`") for row in table("reason | for instance")} == set(grammar["reasons"])


@pytest.mark.parametrize(("written", "full", "normal"), table("written | `full_text`"))
def test_an_address_is_rendered_as_documented(written: str, full: str, normal: str) -> None:
    parts = parse(written)
    assert (full_text(parts), normal_form(parts)) == (full, normal)


def test_the_code_of_the_document_runs() -> None:
    failed, tried = doctest.testfile(str(DOCUMENT), module_relative=False, encoding="utf-8")
    assert tried > 8
    assert failed == 0
