"""The coordinate tool: points and addresses into 上海2000, row by row, and out again as a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook


@pytest.mark.covers("CM-ISL-11", "ELD-MAP-06b", via="web.doors.addresses.convert:convert_lines")
def test_points_and_addresses_become_plane_coordinates_row_by_row(page: Any, live_city: str, tmp_path: Path) -> None:
    from geo.addresses.gazetteer import names_of, published_now
    from geo.addresses.models import Address
    from geo.crs import SHANGHAI
    from geo.imports.models import CURRENT

    door = Address.objects.filter(CURRENT, lane="").exclude(number="").order_by("id").first()
    # A whole address as a clerk has it in a list: region, street and room, full-width figures, a telephone number.
    names = names_of(published_now())
    where = names.above(names.regions[door.region_id], "street") or names.regions[door.region_id]
    number = door.number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    whole = f"上海市{where.full_name} {door.road}{number}号601室 电话13800138000"
    text = f"121.4737, 31.2304\n{whole}\n31.2304, 121.4737\n不存在的怪路 9 号\n=1+1"
    page.goto(f"{live_city}/tools/convert")
    page.get_by_label("坐标或地址，每行一个").fill(text)
    page.get_by_role("button", name="转换").click()
    page.locator("#converted").wait_for()
    rows = [
        [cell.inner_text() for cell in row.locator("td").all()] for row in page.locator("#converted tbody tr").all()
    ]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]

    east, north = SHANGHAI.plane.forward(121.4737, 31.2304)
    assert [float(rows[0][2]), float(rows[0][3])] == pytest.approx([float(east), float(north)], abs=0.001)
    east, north = SHANGHAI.plane.forward(door.geom.x, door.geom.y)
    assert [float(rows[1][2]), float(rows[1][3])] == pytest.approx([float(east), float(north)], abs=0.01)
    assert "误差" in rows[1][-1]
    assert "写反" in rows[2][-1]
    assert "没有找到这个地址" in rows[3][-1]
    assert "2 行转好，3 行要改" in page.locator("#converted h2").inner_text()
    assert "±1 米" in page.locator("#converted").inner_text()

    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 CSV").click()
    data = Path(saved.value.path()).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [row[0] for row in table] == ["行号", "1", "2", "3", "4", "5"]
    assert table[1][2:4] == rows[0][2:4]
    assert table[5][1] == "'=1+1"

    with page.expect_download() as saved:
        page.get_by_role("button", name="下载 Excel").click()
    sheet = CalamineWorkbook.from_path(saved.value.path()).get_sheet_by_index(0).to_python()
    assert [row[1] for row in sheet[1:]] == text.split("\n")
    assert [f"{figure:.3f}" for figure in sheet[1][2:4]] == rows[0][2:4]

    # The same rows from a workbook, as they were downloaded.
    page.goto(f"{live_city}/tools/convert")
    workbook = {"name": "quantu-convert.xlsx", "mimeType": "", "buffer": Path(saved.value.path()).read_bytes()}
    page.get_by_label("或者上传文件").set_input_files(workbook)
    page.get_by_label("坐标现在是").select_option("sh2000")
    page.get_by_label("转成").select_option("wgs84")
    page.get_by_role("button", name="转换").click()
    page.locator("#converted").wait_for()
    back = page.locator("#converted tbody tr").nth(1).locator("td").all_inner_texts()
    assert [float(back[2]), float(back[3])] == pytest.approx([121.4737, 31.2304], abs=1e-6)

    # The same rows from a file, in the encoding of an older spreadsheet, with other columns around them.
    file = tmp_path / "points.csv"
    file.write_bytes(f"名称,经度,纬度\n人民广场,121.4737,31.2304\n某处,{door.text},\n".encode("gb18030"))
    page.goto(f"{live_city}/tools/convert")
    page.get_by_label("或者上传文件").set_input_files(str(file))
    page.get_by_label("转成").select_option("gcj02")
    page.get_by_role("button", name="转换").click()
    page.locator("#converted").wait_for()
    again = [
        [cell.inner_text() for cell in row.locator("td").all()] for row in page.locator("#converted tbody tr").all()
    ]
    assert "3 行已读，2 行转好" in page.locator("#converted h2").inner_text()
    assert float(again[1][2]) == pytest.approx(121.4737 + 0.00451, abs=0.001)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK\x03\x04rest", "没有传完或已损坏"),
        ("a.csv", b"\x00\x01\x02\x03", "不是文本文件"),
        ("a.csv", b"1" * 1_200_000, "1 MB"),
        ("a.txt", b"121.47,31.23\n" * 5_001, "5,000"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(
    page: Any, live_city: str, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    page.goto(f"{live_city}/tools/convert")
    page.get_by_label("或者上传文件").set_input_files(str(file))
    page.get_by_role("button", name="转换").click()
    assert said in page.locator("[role=alert]").first.inner_text()
