"""Datasets at the desk without script: every page, every act, what a conflict keeps, and who gets in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from layers.datasets.editing import change_feature
from layers.datasets.models import Dataset, DatasetImport
from layers.datasets.revisions import held_now
from services.access.models import User
from tests.layers.datasets.making import LAT, LON, OTHER, sent

pytestmark = pytest.mark.usefixtures("city")
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def desk() -> Client:
    """Return a client signed in as the manager of the city."""
    from services.access.demo import make_demo_accounts

    make_demo_accounts()
    client = Client()
    client.force_login(User.objects.get(username="shi"), backend=BACKEND)
    session = client.session
    session["second_step"] = True
    session.save()
    return client


def hidden(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, name
    return found[1]


def made(desk: Client, geometry: str = "point", **more: str) -> Dataset:
    page = desk.get("/desk/layers/new")
    fields = {
        "key": hidden(page, "key"), "title": "公园长椅", "geometry": geometry, "region": "310101", "category": "own",
        "audience": "everyone", **more,
    }  # fmt: skip
    answer = desk.post("/desk/layers/new", fields)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return Dataset.objects.get(key=answer["Location"].rsplit("/", 1)[1])


def done(desk: Client, dataset: Dataset, act: str, **fields: Any) -> Any:
    """Do an act with the form as it stands on the page."""
    page = desk.get(f"/desk/layers/{dataset.key}")
    given = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": act, **fields}
    return desk.post(f"/desk/layers/{dataset.key}", given, follow=True)


def test_a_dataset_is_made_filled_published_and_rolled_back_without_script(desk: Client) -> None:
    dataset = made(desk)
    assert "还没有要素" in desk.get(f"/desk/layers/{dataset.key}").content.decode()
    place = {"lon": f"{LON}", "lat": f"{LAT}"}
    answer = done(desk, dataset, "add", **{"a-mingcheng": "一号椅", **place})
    assert "已保存：新增了“一号椅”。" in answer.content.decode()
    page = desk.get(f"/desk/layers/{dataset.key}/versions")
    assert "新增 1 个" in page.content.decode()
    fields = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": "publish", "note": "第一批"}
    answer = desk.post(f"/desk/layers/{dataset.key}/versions", fields, follow=True)
    assert "已发布第 1 版，马上可以在地图上看到" in answer.content.decode()
    assert desk.get(f"/tiles/{dataset.key}.json").json()["name"] == "公园长椅"
    done(desk, dataset, "change", feature="1", **{"a-mingcheng": "首椅"})
    text = desk.get(f"/desk/layers/{dataset.key}/compare?from=1&to=draft").content.decode()
    assert "名称：一号椅 → 首椅" in text
    page = desk.get(f"/desk/layers/{dataset.key}/versions")
    fields = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": "back", "number": "1"}
    desk.post(f"/desk/layers/{dataset.key}/versions", fields)
    assert held_now(dataset).get().properties == {"mingcheng": "一号椅"}
    text = desk.get(f"/desk/layers/{dataset.key}/history").content.decode()
    assert all(said in text for said in ("恢复到第 1 版", "改了“首椅”的内容", "新增了“一号椅”", "新建了图层"))


def test_undo_stands_beside_what_was_done_and_goes_back(desk: Client) -> None:
    dataset = made(desk)
    answer = done(desk, dataset, "add", **{"a-mingcheng": "一号椅", "lon": LON, "lat": LAT})
    undoes = re.findall(r'name="undoes" value="(\d+)"', answer.content.decode())
    answer = done(desk, dataset, "undo", undoes=undoes[0])
    assert "已保存：撤销“新增了“一号椅””。" in answer.content.decode()
    assert not held_now(dataset).exists()


def test_somebody_elses_change_is_told_and_what_was_typed_stays(desk: Client) -> None:
    dataset = made(desk)
    done(desk, dataset, "add", **{"a-mingcheng": "一号椅", "lon": LON, "lat": LAT})
    page = desk.get(f"/desk/layers/{dataset.key}?feature=1")
    stale = {"key": hidden(page, "key"), "seen": hidden(page, "seen")}
    change_feature(sent(dataset, OTHER), number=1, shape=None, said={"mingcheng": "李四的椅"})
    answer = desk.post(
        f"/desk/layers/{dataset.key}", {**stale, "act": "change", "feature": "1", "a-mingcheng": "我的椅"}
    )
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "李四 刚才改了“李四的椅”的内容" in text
    assert 'value="我的椅"' in text
    assert "现在是：李四的椅" in text
    again = {"key": hidden(answer, "key"), "seen": hidden(answer, "seen"), "act": "change", "feature": "1"}
    desk.post(f"/desk/layers/{dataset.key}", {**again, "a-mingcheng": "我的椅"})
    assert held_now(dataset).get().properties == {"mingcheng": "我的椅"}


def test_faults_stand_at_their_fields_and_an_area_that_crosses_itself_is_mended_on_demand(desk: Client) -> None:
    dataset = made(desk)
    answer = done(desk, dataset, "add", **{"lon": LON, "lat": LAT})
    assert answer.status_code == 400
    assert "请填“名称”。" in answer.content.decode()
    for place, said in (
        ({}, "请先画好或填好位置"), ({"lon": "abc", "lat": "31"}, "经度和纬度要填数字"), ({"lon": "31.23", "lat": "121.47"}, "本市"),
        ({"address": "没有这条路一千零一号"}, "没有找到足够准确的位置"),
    ):  # fmt: skip
        text = done(desk, dataset, "add", **{"a-mingcheng": "椅", **place}).content.decode()
        assert said in text or "坐标" in text
    areas = made(desk, "polygon")
    bow = "POLYGON ((121.47 31.23, 121.48 31.24, 121.48 31.23, 121.47 31.24, 121.47 31.23))"
    text = done(desk, areas, "add", **{"a-mingcheng": "结", "wkt": bow}).content.decode()
    assert "边界自相交" in text
    assert 'name="mend"' in text
    done(desk, areas, "add", **{"a-mingcheng": "结", "wkt": bow, "mend": "1"})
    assert held_now(areas).get().geom.valid


def test_a_file_is_weighed_and_written_and_comes_back_the_same_by_its_key(desk: Client, tmp_path: Path) -> None:
    dataset = made(desk)
    rows = (
        "编号,名称,座位,经度,纬度\n"
        + "".join(f"b{n},椅{n},{n},{LON + n * 0.001},{LAT}\n" for n in range(3))
        + "b9,外地椅,1,2.3,48.8\n"
    )
    file = tmp_path / "长椅_wgs84.csv"
    file.write_text(rows, encoding="gb18030")
    with file.open("rb") as opened:
        answer = desk.post(f"/desk/layers/{dataset.key}/files", {"file": opened, "datum": ""}, follow=True)
    text = answer.content.decode()
    assert "可以写入 3 行" in text
    assert "不能写入 1 行" in text
    assert "不在本市范围内" in text
    assert "WGS-84" in text or "WGS84" in text
    assert "GB18030" in text
    one = DatasetImport.objects.get()
    kinds = {each["column"]: (each["to"], each["kind"]) for each in one.columns}
    assert kinds == {
        "编号": ("new", "text"), "名称": ("mingcheng", "text"), "座位": ("new", "whole"), "经度": ("skip", "text"), "纬度": ("skip", "text"),
    }  # fmt: skip
    url = f"/desk/layers/imports/{one.pk}"
    write = {"key": hidden(answer, "key"), "seen": hidden(answer, "seen"), "act": "write", "how": "add", "by": ""}
    answer = desk.post(url, write, follow=True)
    assert "导入：新增 3 个" in answer.content.decode().replace("”", "")
    assert held_now(dataset).get(number=2).properties == {"mingcheng": "椅1", "bian_hao": "b1", "zuo_wei": 1}
    file.write_text(rows.replace("椅1", "换新的椅"), encoding="utf-8")
    with file.open("rb") as opened:
        answer = desk.post(f"/desk/layers/{dataset.key}/files", {"file": opened, "datum": "wgs84"}, follow=True)
    url = answer.redirect_chain[-1][0]
    how = {"key": hidden(answer, "key"), "seen": hidden(answer, "seen"), "how": "replace", "by": "bian_hao"}
    answer = desk.post(url, {**how, "act": "weigh"}, follow=True)
    assert "新增 0 个、修改 1 个、删除 0 个，不变 2 个" in answer.content.decode()
    desk.post(url, {**how, "act": "write"})
    assert held_now(dataset).get(number=2).properties["mingcheng"] == "换新的椅"
    assert held_now(dataset).count() == 3


def test_a_system_we_cannot_convert_is_named_and_another_can_be_said(desk: Client, tmp_path: Path) -> None:
    dataset, file = made(desk), tmp_path / "长椅.geojson"
    spot = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [LON, LAT]}}
    file.write_text(json.dumps({**spot, "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4214"}}}))
    with file.open("rb") as opened:
        answer = desk.post(f"/desk/layers/{dataset.key}/files", {"file": opened, "datum": ""}, follow=True)
    text = answer.content.decode()
    assert "EPSG::4214”这里不能换算：请先转换成 CGCS2000 再上传，除非它写错了。请选一个再读。" in text
    assert "可以写入" not in text
    url = f"/desk/layers/imports/{DatasetImport.objects.get().pk}"
    text = desk.post(url, {"act": "again", "datum": "cgcs2000", "table": ""}, follow=True).content.decode()
    assert "除非它写错了。已按您选的读取。" in text
    assert "可以写入 1 行" in text


def test_columns_of_a_file_become_what_was_chosen(desk: Client, tmp_path: Path) -> None:
    dataset = made(desk)
    file = tmp_path / "a.geojson"
    point = {"type": "Point", "coordinates": [LON, LAT]}
    about = {"x'); DROP TABLE datasets_feature; --": "1", "'\"><script>alert(1)</script>": "y", "n": 4}
    file.write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": about, "geometry": point}]}
        )
    )
    with file.open("rb") as opened:
        answer = desk.post(f"/desk/layers/{dataset.key}/files", {"file": opened, "datum": "wgs84"}, follow=True)
    text = answer.content.decode()
    assert "<script>alert(1)" not in text
    url = answer.redirect_chain[-1][0]
    one = DatasetImport.objects.get()
    said: dict[str, Any] = {"act": "columns", "column": [each["column"] for each in one.columns]}
    for at, each in enumerate(one.columns):
        said |= {f"to-{at}": "new", f"title-{at}": each["title"], f"kind-{at}": "text" if at == 2 else each["kind"]}
    desk.post(url, said)
    page = desk.get(url)
    desk.post(url, {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": "write", "how": "add", "by": ""})
    dataset.refresh_from_db()
    names = [each["name"] for each in dataset.attributes]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    (row,) = held_now(dataset)
    assert sorted(map(str, row.properties.values())) == ["1", "4", "True"]
    assert "<script>alert(1)" not in desk.get(f"/desk/layers/{dataset.key}").content.decode()


def test_the_list_finds_by_words_and_state_and_other_regions_see_nothing(desk: Client) -> None:
    dataset = made(desk)
    assert "公园长椅" in desk.get("/desk/layers?q=长椅&state=draft").content.decode()
    assert "没有符合的图层" in desk.get("/desk/layers?q=没有").content.decode()
    assert "公园长椅" not in desk.get("/desk/layers?state=published").content.decode()
    stranger = Client()
    for path in ("/desk/layers", f"/desk/layers/{dataset.key}", f"/desk/layers/{dataset.key}/draft/1/0/0/0.mvt"):
        assert stranger.get(path).status_code == 302
    resident = Client()
    resident.force_login(User.objects.get(username="jumin"), backend=BACKEND)
    assert resident.get("/desk/layers").status_code == 403
    assert resident.get(f"/desk/layers/{dataset.key}").status_code == 404
    assert resident.get(f"/desk/layers/{dataset.key}/draft/1/0/0/0.mvt").status_code == 404


def test_a_dataset_out_of_a_layer_is_counted_made_and_refreshed(desk: Client) -> None:
    page = desk.get("/desk/layers/query?layer=places")
    assert "从“" in page.content.decode()
    asked = {"layer": "places", "region": "310101"}
    shown = desk.post("/desk/layers/query", {**asked, "act": "count"}).content.decode().replace("\n", "")
    counted = re.search(r"([\d,]+) 个符合", shown)
    assert counted
    number = int(counted[1].replace(",", ""))
    assert number > 0
    fields = {
        **asked,
        "key": hidden(page, "key"),
        "title": "黄浦设施",
        "owner": "310101",
        "audience": "everyone",
        "kept": "1",
    }
    answer = desk.post("/desk/layers/query", fields, follow=True)
    assert f"{number:,} 个要素" in answer.content.decode()
    dataset = Dataset.objects.get(title="黄浦设施")
    assert held_now(dataset).count() == number
    page = desk.get(f"/desk/layers/{dataset.key}/refresh")
    assert f"没有改动；不变 {number:,} 个" in page.content.decode()
    done(desk, dataset, "delete", feature="1")
    page = desk.get(f"/desk/layers/{dataset.key}/refresh")
    assert "新增 1 个" in page.content.decode()
    again = {"key": hidden(page, "key"), "seen": hidden(page, "seen")}
    desk.post(f"/desk/layers/{dataset.key}/refresh", again)
    assert held_now(dataset).count() == number


@pytest.mark.covers("ELD-MAP-04b", via="layers.datasets.editing:perform")
def test_layers_of_points_lines_and_areas_are_made_found_changed_and_taken_away(desk: Client) -> None:
    drawn = {
        "point": {"lon": str(LON), "lat": str(LAT)}, "line": {"wkt": f"LINESTRING ({LON} {LAT}, {LON + 0.01} {LAT})"},
        "polygon": {"wkt": f"POLYGON (({LON} {LAT}, {LON + 0.01} {LAT}, {LON} {LAT + 0.01}, {LON} {LAT}))"},
    }  # fmt: skip
    for geometry, place in drawn.items():
        dataset = made(desk, geometry, title=f"{geometry} 图层")
        done(desk, dataset, "add", **{"a-mingcheng": "第一个", **place})
        page = desk.get(f"/desk/layers/{dataset.key}/versions")
        asked = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": "publish"}
        desk.post(f"/desk/layers/{dataset.key}/versions", asked)
        (feature,) = desk.get(f"/ogc/collections/{dataset.key}/items?f=json").json()["features"]
        assert feature["geometry"]["type"].removeprefix("Multi").lower() == {"line": "linestring"}.get(
            geometry, geometry
        )
        assert "第一个" in desk.get(f"/desk/layers/{dataset.key}?q=第一").content.decode()
        assert dataset.title in desk.get(f"/desk/layers?q={dataset.title}").content.decode()
        done(desk, dataset, "change", feature="1", **{"a-mingcheng": "改过的"})
        assert held_now(dataset).get().properties == {"mingcheng": "改过的"}
        done(desk, dataset, "delete", feature="1")
        assert not held_now(dataset).exists()
        page = desk.get(f"/desk/layers/{dataset.key}/settings")
        desk.post(
            f"/desk/layers/{dataset.key}/settings",
            {"key": hidden(page, "key"), "seen": hidden(page, "seen"), "act": "retire"},
        )
        assert desk.get(f"/ogc/collections/{dataset.key}?f=json").status_code == 404
