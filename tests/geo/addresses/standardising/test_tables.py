"""Where in a table the address stands, what files hold it, and what comes out: nothing lost, nothing that is a formula."""

from __future__ import annotations

import csv
import gzip
import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from geo.addresses.parsing import parse
from geo.addresses.standardising.export import csv_text, titles, write_xlsx
from geo.addresses.standardising.outcomes import Other, Reason, Spot, Standardised, Status
from geo.addresses.standardising.tables import Columns, guess_columns, item_of, rows_of_text, text_of_rows
from geo.addresses.standardising.uploads import MOST_SIGNS, Spooled, read_spooled, spool
from geo.crs import System
from geo.errors import BadInput, CityError, TooLarge

BODY = ["3", "张杉", "云杉路100弄5号601室", "杨浦"]


class TestColumns:
    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            (["序号", "姓名", "户籍地址", "区"], Columns(2, 3, (("district", 3),), True)),
            (["序号", "姓名", "居住 地址", "所属区"], Columns(2, 3, (("district", 3),), True)),
            (["id", "name", "Address", "district"], Columns(2, 3, (("district", 3),), True)),
            (["户籍地址", "居住地址", "x", "y"], Columns(0, None, (), True)),
            (["序号", "姓名", "住处", "备注"], Columns(2, None, (), False)),
            (["1", "李望", "望舒路7号", "徐汇"], Columns(2, None, (), False)),
        ],
    )  # fmt: skip
    def test_it_is_told_by_its_name_or_by_its_content(self, header: list[str], expected: Columns) -> None:
        assert guess_columns([header, BODY]) == expected

    def test_a_title_may_stand_above_the_names(self) -> None:
        rows = [["2026年名单"], [], ["序号", "姓名", "户籍地址", "区"], BODY]
        assert guess_columns(rows) == Columns(2, 3, (("district", 3),), 3)
        assert guess_columns([["x"]] * 6 + [["地址"], ["云杉路5号"]]).header == 0

    def test_an_address_in_pieces(self) -> None:
        header = ["区", "街道", "路名", "弄", "门牌号", "室号", "备注"]
        columns = guess_columns([header, ["杨浦", "", "云杉路", "100", "5号", "601", "x"]])
        assert (columns.address, columns.district, columns.header) == (None, 0, 1)
        item = item_of(["杨浦", "", "云杉路", "100", "5号", "601", "x"], columns, 7)
        assert (item.text, item.district) == ("杨浦云杉路100弄5号601室", "杨浦")
        parts = parse(item.text)
        assert (parts.road, parts.lane, parts.number, parts.room) == ("云杉路", "100", "5", "601")
        assert item_of(["", "", "云杉路"], columns, 7).text == "云杉路"

    def test_a_last_column_cut_at_its_commas_is_joined_again(self) -> None:
        columns = Columns(1, None, (), 1)
        assert item_of(["1", "云杉路5号", "601室"], columns, 2).text == "云杉路5号,601室"
        assert item_of(["1"], columns, 2).text == ""

    @given(
        st.lists(
            st.lists(st.text(alphabet="云杉路5号\t\n ，x", max_size=6), min_size=1, max_size=4), min_size=1, max_size=6
        )
    )
    def test_a_table_as_text_is_read_back(self, rows: list[list[str]]) -> None:
        plain = [[" ".join(cell.split()) for cell in row] for row in rows]
        while len(plain) > 1 and plain[-1] == [""]:
            plain.pop()
        assert rows_of_text(text_of_rows(rows)) == plain


def workbook(fill: Callable[[xlsxwriter.Workbook], object]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        fill(book)
    return out.getvalue()


def spooled(folder: Path, data: bytes, name: str = "a.csv", **limits: int) -> tuple[Spooled, list[list[str]]]:
    source, target = folder / name, folder / "plain"
    source.write_bytes(data)
    found = spool(source, target, **limits)  # type: ignore[arg-type]
    return found, [line.cells for line in read_spooled(target)]


class TestUploads:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_text_in_either_encoding(self, tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]) -> None:
        data = '地址,备注\r\n"云杉路5号,601室",甲\r\n\r\n"望舒路\n7号"\r\n\r\n'.encode(encoding)
        found, rows = spooled(tmp_path, pack(data))
        assert rows == [["地址", "备注"], ["云杉路5号,601室", "甲"], [], ["望舒路\n7号"]]
        assert found == Spooled(4, 2, rows)
        assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "plain"}

    def test_lines_of_plain_text_keep_their_commas_and_tabs_part_columns(self, tmp_path: Path) -> None:
        assert spooled(tmp_path, "云杉路5号,601室\n".encode(), "a.txt")[1] == [["云杉路5号,601室"]]
        assert spooled(tmp_path, '甲\t"云杉路5号,1\n'.encode(), "a.txt")[1] == [["甲", '"云杉路5号,1']]

    def test_the_first_sheet_of_a_workbook(self, tmp_path: Path) -> None:
        def fill(book: xlsxwriter.Workbook) -> None:
            page = book.add_worksheet()
            page.write_row(2, 0, ["地址", "弄"])
            page.write_row(4, 0, ["云杉路", 100.0])
            book.add_worksheet("另一张").write(0, 0, "不读")

        assert spooled(tmp_path, workbook(fill), "a.xlsx")[1] == [[], [], ["地址", "弄"], [], ["云杉路", "100"]]

    def test_reading_goes_on_from_any_row(self, tmp_path: Path) -> None:
        _, rows = spooled(tmp_path, "".join(f"云杉路{number}号\n" for number in range(500)).encode())
        lines = list(read_spooled(tmp_path / "plain"))
        for at in (0, 7, 499):
            rest = [line.cells for line in read_spooled(tmp_path / "plain", lines[at].after)]
            assert rest == rows[at + 1 :]

    @pytest.mark.parametrize(
        ("make", "kind", "code"),
        [
            (lambda: b"", BadInput, "file_empty"),
            (lambda: b"\n\n\n", BadInput, "file_empty"),
            (lambda: b"\x00\x01\x02", BadInput, "file_binary"),
            (lambda: b"\xff\xff\xff\xff", BadInput, "file_encoding"),
            (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", BadInput, "file_old_excel"),
            (lambda: b"PK\x03\x04rest", BadInput, "file_unreadable"),
            (lambda: workbook(lambda book: book.add_worksheet()), BadInput, "file_empty"),
            (lambda: workbook(lambda book: book.add_worksheet().write(0, 0, "x"))[:-300], BadInput, "file_unreadable"),
            (lambda: b'"' + b"x" * (MOST_SIGNS + 9), BadInput, "cell_too_long"),
            (lambda: ("a," * 100 + "b\n").encode(), TooLarge, "too_many_columns"),
            (lambda: b"x\n" * 2_000, TooLarge, "too_many_rows"),
            (lambda: gzip.compress(b"x" * 1000)[:-9], BadInput, "file_unreadable"),
            (lambda: gzip.compress(b" " * 60_000_000), TooLarge, "file_exploded"),
            (
                lambda: workbook(
                    lambda book: [book.add_worksheet().write(0, 0, "甲"), book.worksheets()[0].write(1048575, 16383, "乙")]
                ),
                CityError,
                "file_exploded",
            ),
        ],
    )  # fmt: skip
    def test_what_cannot_be_used_is_refused_in_words(
        self, tmp_path: Path, make: Callable[[], bytes], kind: type[CityError], code: str
    ) -> None:
        with pytest.raises(kind) as refusal:
            spooled(tmp_path, make(), most_rows=1_000)
        assert refusal.value.code == code
        assert "请" in refusal.value.message
        assert not (tmp_path / "plain").exists()


HOSTILE = [
    "=1+1",
    "+cmd|'/c calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\tx",
    "https://example.org/",
    "-12.5",
    "+86138",
    "\ud800a\x0b",
]


def pairs() -> list[tuple[list[str], Standardised]]:
    spot = Spot("杨浦区云杉路5号", "door", 121.4712345, 31.2298765, 12.4)
    found = Standardised(
        1, "云杉路5号", Status.MATCHED, None, "上海市杨浦区云杉路5号", parse("杨浦区云杉路5号"), spot, confidence=1.0
    )  # fmt: skip
    choice = Standardised(
        2, "x", Status.AMBIGUOUS, reasons=(Reason("several", "一栏里有几个地址，已分开。"),), others=(Other("甲", spot), Other("乙"))
    )  # fmt: skip
    rows = [found, choice, *(Standardised(number, text, Status.UNUSABLE) for number, text in enumerate(HOSTILE, 3))]
    return [(["甲", row.written], row) for row in rows]


class TestExport:
    def test_own_columns_stay_and_ours_follow(self) -> None:
        names = titles(["行号", "地址"], System.SH2000)
        assert names[:4] == ["行号", "地址", "行号（规范）", "规范地址"]
        assert "东坐标（米）" in names
        assert len(set(names)) == len(names)

    def test_csv_holds_every_row_and_no_formula(self) -> None:
        text = "".join(csv_text(["姓名", "地址"], pairs(), System.GCJ02))
        assert text.startswith("\ufeff")
        table = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert [row["行号"] for row in table] == [str(number) for number in range(1, len(HOSTILE) + 3)]
        assert (table[0]["规范地址"], table[0]["状态"], table[0]["定位到"]) == (
            "上海市杨浦区云杉路5号",
            "已到门牌",
            "门牌",
        )
        assert table[1]["可能是（其他地址或地点）"] == "甲（门牌，误差 12 米）；乙（没有落点）"
        assert [row["地址"] for row in table[2:]] == [
            "'=1+1", "'+cmd|'/c calc'!A0", "'-2+3", "'@SUM(1)", "'\tx", "https://example.org/", "-12.5", "+86138", "a",
        ]  # fmt: skip

    def test_a_workbook_holds_numbers_as_numbers_and_texts_as_texts(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        write_xlsx(path, ["姓名", "地址"], pairs(), System.CGCS2000)
        table = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        columns = {name: at for at, name in enumerate(table[0])}
        assert [table[1][columns[name]] for name in ("经度", "纬度", "行号")] == [121.4712345, 31.2298765, 1]
        assert [row[1] for row in table[3:10]] == HOSTILE[:7]
        sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
        assert not any(sign in sheet for sign in (b"<f>", b"<f ", b"hyperlink"))

    def test_cells_beyond_the_header_are_kept(self) -> None:
        rows = [
            (["甲", "云杉路5号", "601室"], Standardised(1, "x", Status.UNUSABLE)),
            ([], Standardised(2, "", Status.UNUSABLE)),
        ]
        table = list(csv.reader(io.StringIO("".join(csv_text(["姓名", "地址"], rows, System.WGS84)))))
        assert [row[:2] for row in table[1:]] == [["甲", "云杉路5号,601室"], ["", ""]]

    def test_many_rows_come_in_pieces(self) -> None:
        chance = random.Random(1)
        many = [([str(chance.random())], Standardised(number, "x", Status.UNUSABLE)) for number in range(1, 5_001)]
        pieces = list(csv_text(["甲"], iter(many), System.WGS84))
        assert len(pieces) == 3
        assert len(list(csv.reader(io.StringIO("".join(pieces))))) == 5_001
