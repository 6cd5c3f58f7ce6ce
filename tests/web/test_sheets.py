"""Spreadsheets at the coordinate tool: real ones, broken ones, and ones made to do harm."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from python_calamine import CalamineWorkbook

from geo.crs import System
from geo.errors import BadInput, CityError, TooLarge
from web.doors.addresses.sheets import ConvertedRow, as_csv, as_xlsx, lines_of_file


def workbook(fill: Callable[[xlsxwriter.Workbook], object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        fill(book)
    return out.getvalue()


def points(book: xlsxwriter.Workbook, rows: int = 3) -> None:
    page = book.add_worksheet()
    page.write_row(0, 0, ["名称", "经度", "纬度"])
    for at in range(1, rows + 1):
        page.write_row(at, 0, [f"点 {at}", 121.4 + at / 1000, 31.2])


def lines(data: bytes, name: str = "a.xlsx") -> list[str]:
    return lines_of_file(SimpleUploadedFile(name, data)).split("\n")


class TestReading:
    def test_a_workbook_becomes_a_line_for_each_row(self) -> None:
        assert lines(workbook(points)) == ["名称", "121.401, 31.2", "121.402, 31.2", "121.403, 31.2"]

    def test_rows_keep_their_numbers_over_blank_ones_and_cells_become_one_line(self) -> None:
        def fill(book: xlsxwriter.Workbook) -> None:
            page = book.add_worksheet()
            page.write(2, 1, "黄浦区人民大道\n200号")
            page.write_row(4, 0, ["x", "", 121.5, 31.25])
            page.write_formula(5, 2, "=1+120", None, 121)
            page.write(5, 3, 31)
            book.add_worksheet("另一张").write(0, 0, "不读")

        assert lines(workbook(fill)) == ["", "", "黄浦区人民大道 200号", "", "121.5, 31.25", "121, 31"]

    @pytest.mark.parametrize(
        ("row", "line"),
        [
            ([7, 121.47, 31.23, 4], "121.47, 31.23"),
            ([7, 8, "点", 121, 31.5], "7, 8"),
            (["点", 121, 31.5], "121, 31.5"),
            ([3, "121°28′25″", "31°13′49″"], "121°28′25″, 31°13′49″"),
            ([3, "121.47, 31.23", "人民大道200号二楼大厅"], "121.47, 31.23"),
            ([3, 2026, "人民大道200号"], "3, 2026"),
            ([3, "人民大道200号", "甲"], "人民大道200号"),
            ([3, -1234.5, 2345.6, 12.25], "-1234.5, 2345.6"),
        ],
    )
    def test_of_several_cells_the_coordinates_are_taken(self, row: list[object], line: str) -> None:
        assert lines(workbook(lambda book: book.add_worksheet().write_row(0, 0, row))) == [line]

    def test_many_rows_are_read(self) -> None:
        assert len(lines(workbook(lambda book: points(book, 5000)))) == 5001

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
    def test_text_is_read_as_before(self, encoding: str) -> None:
        assert lines("名称,经度,纬度\n甲,121.47,31.23\n".encode(encoding), "a.csv") == ["名称", "121.47, 31.23"]


def cut_short() -> bytes:
    data = workbook(lambda book: points(book, 300))
    return data[: len(data) // 2]


def scrambled() -> bytes:
    """Return a workbook whose sheet is not what its archive promises."""
    data = bytearray(workbook(lambda book: points(book, 300)))
    chance = random.Random(5)
    start = data.index(b"xl/worksheets/sheet1.xml") + 40
    for at in range(start, start + 600):
        data[at] = chance.randrange(256)
    return bytes(data)


def no_workbook() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "这不是表格")
    return out.getvalue()


def rezipped(sheet: bytes) -> bytes:
    """Return a workbook with another sheet in it."""
    source = zipfile.ZipFile(io.BytesIO(workbook(points)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, sheet if name.endswith("sheet1.xml") else source.read(name))
    return out.getvalue()


def bomb() -> bytes:
    """Return a few hundred kilobytes that unfold to 300 MB."""
    return rezipped(b"<worksheet><sheetData>" + b" " * 300_000_000 + b"</sheetData></worksheet>")


def lying_bomb() -> bytes:
    """Return a bomb whose directory says it is small."""
    data = bytearray(bomb())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


def far_corner() -> bytes:
    """Return two cells at the two ends of a sheet: seventeen thousand million cells between them."""
    return workbook(
        lambda book: [book.add_worksheet().write(0, 0, "甲"), book.worksheets()[0].write(1048575, 16383, "乙")]
    )


def one_text_many_times() -> bytes:
    """Return one long text that ten thousand cells share: small in the file, 300 MB outside it."""

    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet()
        for at in range(10_000):
            page.write_string(at, 0, "长" * 30_000)

    return workbook(fill)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (cut_short, BadInput, "没有传完或已损坏"),
        (scrambled, BadInput, "没有传完或已损坏"),
        (no_workbook, BadInput, "没有传完或已损坏"),
        (lambda: b"PK\x03\x04rest", BadInput, "没有传完或已损坏"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), BadInput, "另存为 .xlsx"),
        (lambda: workbook(lambda book: book.add_worksheet()), BadInput, "第一张表是空的"),
        (bomb, TooLarge, "展开后太大"),
        (lying_bomb, CityError, "Excel 文件"),
        (far_corner, TooLarge, "展开后太大"),
        (one_text_many_times, TooLarge, "展开后太大"),
        (lambda: b"PK" + bytes(1_200_000), TooLarge, "1 MB"),
    ],
    ids=["cut", "scrambled", "no workbook", "not a zip", "old", "blank", "bomb", "lying", "corner", "shared", "large"],
)
def test_a_workbook_that_cannot_be_used_is_refused_in_words(
    make: Callable[[], bytes], kind: type[CityError], words: str
) -> None:
    data = make()
    with pytest.raises(kind) as refusal:
        lines(data)
    assert words in refusal.value.message


ROWS = [
    ConvertedRow(1, "121.47, 31.23", "121.4700000", "31.2300000", "坐标换算"),
    ConvertedRow(2, "人民大道200号", "121.4712345", "31.2298765", "人民大道200号：门牌", 12.4),
    *(
        ConvertedRow(number, text, fault=f"{text} 没有找到")
        for number, text in enumerate(("=1+1", "+cmd|'/c calc'!A0", "-2+3", "@SUM(1)", "https://example.org/"), 3)
    ),
]


class TestWriting:
    def test_a_workbook_holds_numbers_as_numbers_and_texts_as_texts(self) -> None:
        answer = as_xlsx(ROWS, System.GCJ02)
        assert answer["Content-Disposition"] == 'attachment; filename="quantu-convert.xlsx"'
        table = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        assert table[0][:4] == ["行号", "原文", "经度", "纬度"]
        assert table[1][:4] == [1, "121.47, 31.23", 121.47, 31.23]
        assert table[2][2:7] == [121.4712345, 31.2298765, System.GCJ02.label, "人民大道200号：门牌", 12]
        assert [row[1] for row in table[3:]] == [row.text for row in ROWS[2:]]
        inside = zipfile.ZipFile(io.BytesIO(answer.content))
        sheet = inside.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"<f " not in sheet
        assert b"hyperlink" not in sheet
        assert len(inside.namelist()) == len(set(inside.namelist()))

    def test_a_csv_holds_nothing_that_is_taken_for_a_formula(self) -> None:
        answer = as_csv(ROWS, System.SH2000)
        assert answer.content.startswith(b"\xef\xbb\xbf")
        table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert table[0][2:4] == ["东坐标（米）", "北坐标（米）"]
        assert [row[1] for row in table[3:7]] == ["'=1+1", "'+cmd|'/c calc'!A0", "'-2+3", "'@SUM(1)"]
        for row in table[1:]:
            assert not any(cell.startswith(("=", "+", "@", "-2")) for cell in row)
