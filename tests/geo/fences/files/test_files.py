"""Areas written into files and read again are the same areas, in every format and datum; what a file says of its datum is heard."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geo.crs import SHANGHAI, System
from geo.errors import BadInput
from geo.fences.files.reading import SYSTEMS, judge_shape, read_drawn, said
from geo.fences.files.writing import FORMATS, OPTIONAL, Leaving, format_of, write_areas
from geo.geometry import from_plane, to_plane

pytestmark = pytest.mark.django_db
NAME = "名称"


def star(east: float, north: float, radii: list[float], hole: bool) -> BaseGeometry:
    """Return a star of the city (degrees) around a spot of its plane, with a hole in its middle."""
    turns = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    corners = [(east + r * np.cos(t), north + r * np.sin(t)) for r, t in zip(radii, turns, strict=True)]
    inner = [(east + 5 * np.cos(t), north + 5 * np.sin(t)) for t in turns]
    return from_plane(shapely.MultiPolygon([shapely.Polygon(corners, [inner] if hole else None)]), SHANGHAI)


STARS = st.builds(
    star,
    st.floats(-8_000, 8_000),
    st.floats(-8_000, 8_000),
    st.lists(st.floats(20, 900), min_size=5, max_size=40),
    st.booleans(),
)
WORDS = st.text(st.characters(codec="gb18030", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


def file_of(folder: Path, areas: list[Leaving], key: str, system: System) -> Path:
    kind = format_of(key)
    path = folder / f"{key}.{kind.ending}"
    path.write_bytes(write_areas(areas, format=kind, system=system, title="黄浦区签到范围第 1 版"))
    return path


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
@pytest.mark.parametrize("key", [each.key for each in FORMATS])
def test_what_is_written_reads_in_again_to_the_millimetre_without_being_told_the_datum(
    tmp_path: Path, key: str, data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.tuples(STARS, WORDS, WORDS), min_size=1, max_size=4))
    system = data.draw(st.sampled_from(SYSTEMS))
    areas = [Leaving({NAME: name, "归属": owner, OPTIONAL: ""}, shape) for shape, name, owner in drawn]
    path = file_of(tmp_path, areas, key, system)
    file = read_drawn(path, name=path.name, datum="", most=10, noun="围栏")
    assert (file.system, file.guess.system) == (system, system)
    assert file.guess.why.startswith("“坐标系”一列写着")
    for at, area in enumerate(areas):
        record = file.reading.records[at]
        assert (said(record, ("名称", "name")), said(record, ("归属",))) == (area.said[NAME], area.said["归属"])
        judged = judge_shape(file, at, noun="围栏")
        assert judged.fault == ""
        assert judged.whole is not None
        here, there = to_plane(judged.whole, SHANGHAI), to_plane(area.shape, SHANGHAI)
        assert shapely.hausdorff_distance(here, there) < 0.001
        assert here.symmetric_difference(there).area < 0.001 * there.length


def test_text_cells_are_no_formulas_and_a_name_that_looks_like_one_comes_back(tmp_path: Path) -> None:
    areas = [Leaving({NAME: "=1+1", "归属": "-甲"}, star(0, 0, [50.0] * 8, False))]
    path = file_of(tmp_path, areas, "csv", System.WGS84)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert [cell[0] for cell in rows[1][:2]] == ["'", "'"]
    record = read_drawn(path, name=path.name, datum="", most=1, noun="围栏").reading.records[0]
    assert (said(record, (NAME,)), said(record, ("归属",))) == ("=1+1", "-甲")


def test_a_shapefile_says_what_it_is_and_what_it_has_no_room_for(tmp_path: Path) -> None:
    shape = star(0, 0, [50.0] * 8, False)
    path = file_of(tmp_path, [Leaving({NAME: "甲", OPTIONAL: "x" * 300}, shape)], "shp", System.GCJ02)
    with zipfile.ZipFile(path) as archive:
        assert {"areas.shp", "areas.dbf", "areas.prj", "areas.cpg", "说明.txt"} <= set(archive.namelist())
        assert "GCJ-02" in archive.read("说明.txt").decode("utf-8-sig")
        assert b"GCJ-02" in archive.read("areas.prj")
    with pytest.raises(BadInput, match="写不下"):
        file_of(tmp_path, [Leaving({NAME: "甲" * 85}, shape)], "shp", System.WGS84)


@pytest.mark.parametrize(
    ("name", "system", "why"),
    [
        ("片区_gcj02.csv", System.GCJ02, "文件名"),
        ("百度导出.csv", System.BD09, "文件名"),
        ("片区.csv", None, ""),
    ],
)
def test_a_file_without_a_word_of_its_datum_is_asked_about(
    tmp_path: Path, name: str, system: System | None, why: str
) -> None:
    path = tmp_path / "a.csv"
    wkt = shapely.to_wkt(star(0, 0, [50.0] * 8, False))
    path.write_text(f'名称,WKT\n甲,"{wkt}"\n', encoding="utf-8")
    if system is None:
        with pytest.raises(BadInput, match="请选一个"):
            read_drawn(path, name=name, datum="", most=1, noun="围栏")
        declared = read_drawn(path, name=name, datum="gcj02", most=1, noun="围栏")
        assert (declared.system, declared.guess.system) == (System.GCJ02, None)
    else:
        found = read_drawn(path, name=name, datum="", most=1, noun="围栏")
        assert (found.system, why in found.guess.why) == (system, True)
        told = read_drawn(path, name=name, datum="wgs84", most=1, noun="围栏")  # who declares is believed, and told
        assert (told.system, told.guess.system) == (System.WGS84, system)


def test_metres_in_a_plain_file_are_of_the_citys_plane(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    wkt = shapely.to_wkt(to_plane(star(3000, 4000, [50.0] * 8, False), SHANGHAI))
    path.write_text(f'名称,WKT\n甲,"{wkt}"\n', encoding="utf-8")
    found = read_drawn(path, name="a.csv", datum="", most=1, noun="围栏")
    assert found.system is System.SH2000
    assert "平面坐标" in found.guess.why
    assert judge_shape(found, 0, noun="围栏").fault == ""


@pytest.mark.parametrize(
    ("wkt", "words"),
    [
        ("POLYGON((121.48 31.22,121.49 31.23,121.49 31.22,121.48 31.23,121.48 31.22))", "边界自相交"),
        (
            "POLYGON((121.48 31.22,121.49 31.22,121.49 31.23,121.48 31.22),(121.3 31.2,121.31 31.2,121.31 31.21,121.3 31.2))",
            "洞在外边界之外",
        ),
    ],
)
def test_a_shape_that_can_be_mended_comes_mended_and_says_so(tmp_path: Path, wkt: str, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'名称,WKT\n甲,"{wkt}"\n', encoding="utf-8")
    judged = judge_shape(read_drawn(path, name="a.csv", datum="wgs84", most=1, noun="围栏"), 0, noun="围栏")
    assert words in judged.fault
    assert judged.whole is not None
    assert judged.whole.is_valid


@pytest.mark.parametrize(
    ("wkt", "words"),
    [
        ("POLYGON((179.9 31.22,-179.9 31.22,-179.9 31.23,179.9 31.22))", "180°"),
        ("POLYGON((116.48 31.22,116.49 31.22,116.49 31.23,116.48 31.22))", "不在本市范围内"),
        ("LINESTRING(121.48 31.22,121.49 31.22)", "是线，不是面"),
        ("POINT(121.48 31.22)", "是点，不是面"),
        ("POLYGON EMPTY", "图形是空的"),
        ("POLYGON((121.48 31.22,121.49 31.22,121.48 31.22,121.48 31.22))", "没有面积"),
        ("", "图形是空的"),
        (
            "POLYGON((" + ",".join(f"{121.4 + k * 1e-6:.7f} {31.2 + (k % 2) * 1e-7:.7f}" for k in range(10_002))
            + ",121.42 31.3,121.4 31.2))",
            "最多 10,000 个",
        ),
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_kept_says_why(tmp_path: Path, wkt: str, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'名称,WKT\n甲,"{wkt}"\n', encoding="utf-8")
    judged = judge_shape(read_drawn(path, name="a.csv", datum="wgs84", most=1, noun="围栏"), 0, noun="围栏")
    assert words in judged.fault
    assert judged.whole is None
