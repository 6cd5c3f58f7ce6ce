"""Workbooks that mean harm: formulas, links to other books, entities, sheets that are far larger than they say."""

from __future__ import annotations

import csv
import io
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import xlsxwriter

from geo.scope import Scope
from layers.datasets.actions import publish
from layers.datasets.models import ImportState
from layers.datasets.revisions import held_now
from layers.exports.process import write_export
from layers.processes.spec import Asked
from tests.layers.datasets.making import EDITOR, LAT, LON, made, sent
from tests.layers.datasets.test_files import taken, written

pytestmark = pytest.mark.usefixtures("city")
FORMULAS: Final = ['=HYPERLINK("{}","看")', '=WEBSERVICE("{}")', "=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(1)"]


@pytest.fixture
def listening() -> Iterator[tuple[str, list[Any]]]:
    """Listen for whoever follows a link, and return the address and who came."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def wait() -> None:
            try:
                while True:
                    came.append(door.accept()[1])
            except OSError:  # the door is closed
                return

        threading.Thread(target=wait, daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/x", came
        door.shutdown(socket.SHUT_RDWR)


def workbook(path: Path, cells: list[str], *, formulas: bool) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for at, name in enumerate(("名称", "经度", "纬度")):
        sheet.write(0, at, name)
    for at, text in enumerate(cells, 1):
        if formulas:
            sheet.write_formula(at, 0, text, None, f"算出 {at}")
        else:
            sheet.write_string(at, 0, text)
        sheet.write_number(at, 1, LON + at * 0.001)
        sheet.write_number(at, 2, LAT)
    book.close()
    return path


def packed_with(source: Path, target: Path, **members: bytes) -> Path:
    """Copy a workbook with some members put in the place of its own, or beside them."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each not in members:
                new.writestr(each, old.read(each))
        for name, content in members.items():
            new.writestr(name, content)
    return target


def names_in(one: Any) -> list[str]:
    return [str(row.properties["mingcheng"]) for row in held_now(one.dataset).order_by("number")]


def test_formulas_are_not_worked_out_and_no_link_is_followed(tmp_path: Path, listening: tuple[str, list[Any]]) -> None:
    address, came = listening
    plain = workbook(tmp_path / "plain.xlsx", [text.format(address) for text in FORMULAS[:2]], formulas=True)
    link = '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook r:id="rId1" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/></externalLink>'  # noqa: E501
    leads = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath" Target="{address}" TargetMode="External"/></Relationships>'  # noqa: E501
    members = {"xl/externalLinks/externalLink1.xml": link, "xl/externalLinks/_rels/externalLink1.xml.rels": leads}
    linked = packed_with(plain, tmp_path / "linked.xlsx", **{name: text.encode() for name, text in members.items()})
    one = taken(made(), linked, "cgcs2000")
    written(one)
    assert names_in(one) == ["算出 1", "算出 2"]
    assert came == []


def test_texts_that_look_like_formulas_stay_texts_and_leave_as_such(tmp_path: Path) -> None:
    dataset = made()
    one = taken(dataset, workbook(tmp_path / "texts.xlsx", FORMULAS, formulas=False), "cgcs2000")
    written(one)
    assert names_in(one) == FORMULAS
    publish(sent(dataset))
    asked = Asked(
        {"layer": dataset.key, "format": "csv"},
        Scope(paths=EDITOR.paths, duties=EDITOR.duties, actor=EDITOR.actor), tmp_path, lambda share, said: None,
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(write_export(asked).path.read_text(encoding="utf-8-sig"))))
    assert len(rows) == len(FORMULAS)
    assert all(f"'{text}" in row.values() for text, row in zip(FORMULAS, rows, strict=True))


ENTITIES: Final = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "%s"><!ENTITY b "%s"><!ENTITY c "%s">]>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&c;</t></si></sst>""" % (
    b"x" * 10_000, b"&a;" * 1_000, b"&b;" * 1_000,
)  # fmt: skip
FILES: Final = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY c SYSTEM "file:///etc/hostname">]>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&c;</t></si><si><t>&c;</t></si><si><t>&c;</t></si>
<si><t>&c;</t></si></sst>"""
FAR: Final = b"""<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>
</sheetData></worksheet>"""


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("xl/sharedStrings.xml", ENTITIES),
        ("xl/sharedStrings.xml", FILES),
        ("xl/worksheets/sheet1.xml", FAR),
        ("xl/worksheets/sheet1.xml", b"<" * 2_000_000),
        ("xl/sharedStrings.xml", b"\0" * 300_000_000),
        ("../../etc/x", b"1"),
    ],
    ids=["entities", "entities of files", "two cells far apart", "no xml", "a bomb", "a path upward"],
)
def test_a_broken_or_hostile_workbook_brings_nothing_in(tmp_path: Path, member: str, content: bytes) -> None:
    plain = workbook(tmp_path / "plain.xlsx", ["甲"], formulas=False)
    one = taken(made(), packed_with(plain, tmp_path / "hostile.xlsx", **{member: content}), "cgcs2000")
    said = str(one.report) + one.error
    with open("/etc/hostname", encoding="utf-8") as file:
        assert file.read().strip() not in said
    assert one.state == ImportState.FAILED or one.report.get("ready", 0) <= 1
    assert not list(tmp_path.parent.glob("etc"))
    shutil.rmtree(tmp_path, ignore_errors=True)
