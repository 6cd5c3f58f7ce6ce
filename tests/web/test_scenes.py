"""Three-dimensional models over HTTP: what maps are told, every file with its type, and what staff do until others see them."""

from __future__ import annotations

import datetime as dt
import html
import re
import struct
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from fixtures.scenes.meshes import b3dm_of
from geo.jobs.actions import run_job
from geo.jobs.models import Job, JobState
from geo.regions.models import RegionVersion
from layers.scenes.holding import upload_of, whole_of
from layers.scenes.models import Scene, ScenePackage, SceneVersion
from services.access.actions import grant_role
from services.access.models import User, UserKind
from services.kernel.security.retention import purge_records
from tests.layers.scenes.making import block, on_earth, package, tile, tileset

pytestmark = pytest.mark.usefixtures("city")
BACKEND = "django.contrib.auth.backends.ModelBackend"
AROUND = {"west": "121.46", "south": "31.22", "east": "121.49", "north": "31.24"}


def test_the_invented_scenes_are_told_in_their_box_and_all_their_files_are_given_out() -> None:
    client = Client()
    answer = client.get("/scenes.json", AROUND)
    assert answer.status_code == 200
    told = {one["key"]: one for one in answer.json()["scenes"]}
    assert set(told) == {"demo-blocks", "demo-home"}
    home, blocks = told["demo-home"], told["demo-blocks"]
    assert (home["kind"], home["twin"], home["positioned"]) == ("model", "/twin/demo-home", False)
    assert (blocks["kind"], blocks["twin"], blocks["positioned"]) == ("tileset", None, True)
    assert home["heights"][0] == 0
    assert 3 < home["heights"][1] < 40
    assert blocks["heights"][0] == pytest.approx(0, abs=0.01)
    west, south, east, north = home["box"]
    assert west < home["lon"] < east
    assert south < home["lat"] < north
    assert home["footprint"]["type"] == "Polygon"
    status, kind, content = fetched(client, home["url"])
    assert (status, kind, content[:4]) == (200, "model/gltf-binary", b"glTF")
    assert struct.unpack_from("<I", content, 8)[0] == len(content)
    head = client.head(home["url"])
    assert head["Cache-Control"] == "public, max-age=31536000, immutable"
    assert head["X-Content-Type-Options"] == "nosniff"
    status, kind, content = fetched(client, blocks["url"])
    assert (status, kind) == (200, "application/json")
    assert b"coarse.b3dm" in content
    status, kind, content = fetched(client, blocks["url"].replace("tileset.json", "data/coarse.b3dm"))
    assert (status, kind, content[:4]) == (200, "application/octet-stream", b"b3dm")
    assert client.get("/scenes.json", {**AROUND, "west": "121.486"}).json()["scenes"] == []


def test_an_unchanged_answer_is_304_and_a_part_of_a_file_is_206() -> None:
    client = Client()
    answer = client.get("/scenes.json")
    assert client.get("/scenes.json", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    url = answer.json()["scenes"][0]["url"]
    _, _, content = fetched(client, url)
    assert fetched(client, url, headers={"Range": "bytes=4-11"})[::2] == (206, content[4:12])
    head = client.head(url)
    assert client.get(url, headers={"If-None-Match": head["ETag"]}).status_code == 304
    assert (head.status_code, head["Content-Length"]) == (200, str(len(content)))


@pytest.mark.parametrize(
    "query", ["west=1&south=2&east=3", "west=a&south=2&east=3&north=4", "west=9&south=2&east=3&north=nan"]
)
def test_a_box_that_cannot_be_meant_is_told_in_words(query: str) -> None:
    answer = Client().get(f"/scenes.json?{query}")
    assert answer.status_code == 400
    assert "西" in answer.json()["detail"]


def fetched(client: Client, url: str, **more: Any) -> tuple[int, str, bytes]:
    """Return status, media type and content of a file."""
    answer = client.get(url, **more)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, str(answer["Content-Type"]), content


# The desk


@pytest.fixture
def accounts() -> None:
    from services.access.demo import make_demo_accounts

    make_demo_accounts()


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend=BACKEND)
    session = client.session
    session["second_step"] = True
    session.save()
    return client


@pytest.fixture
def desk(accounts: None) -> Client:
    """Return a client signed in as the manager of the city."""
    return signed_in("shi")


def hidden(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found, name
    return found[1]


def made(desk: Client, kind: str = "model", **more: str) -> str:
    """Make a scene on its page, and return its key."""
    fields = {
        "key": hidden(desk.get("/desk/scenes/new"), "key"), "kind": kind, "title": "社区食堂", "source": "测试航摄",
        "as_of": "2026-09-01", "audience": "everyone", "min_zoom": "17", "region": "310101", **more,
    }  # fmt: skip
    answer = desk.post("/desk/scenes/new", fields)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"]).rsplit("/", 1)[1]


def uploaded(desk: Client, key: str, content: bytes, name: str = "block.glb", **more: str) -> Any:
    page = desk.get(f"/desk/scenes/{key}")
    fields = {"key": hidden(page, "key"), "seen": hidden(page, "seen"), **more}
    return desk.post(f"/desk/scenes/{key}/files", {**fields, "file": SimpleUploadedFile(name, content)}, follow=True)


def done(desk: Client, key: str, act: str, **fields: Any) -> Any:
    page = desk.get(f"/desk/scenes/{key}")
    given = {"key": str(uuid4()), "seen": hidden(page, "seen"), "act": act, **fields}
    return desk.post(f"/desk/scenes/{key}", given, follow=True)


def shown(client: Client, key: str) -> dict[str, Any] | None:
    told = client.get("/scenes.json").json()["scenes"]
    return next((one for one in told if one["key"] == key), None)


def words(page: Any) -> str:
    return html.unescape(page.content.decode())


def test_a_model_is_uploaded_placed_published_and_then_seen_by_everybody(desk: Client) -> None:
    key = made(desk, twin="1")
    page = uploaded(desk, key, block(tall=9.0))
    assert "可以用" in words(page)
    assert "1 层" in words(page)
    page = done(desk, key, "place", where="121.4737, 31.2304", heading_deg="30", height_m="1.5", scale="1")
    assert "位置已保存" in words(page)
    assert shown(Client(), key) is None
    draft = desk.get("/scenes.json", {"draft": key}).json()["scenes"][-1]
    assert (draft["key"], draft["draft"]) == (key, True)
    assert Client().get(draft["url"]).status_code == 404
    assert fetched(desk, draft["url"])[2] == block(tall=9.0)
    page = done(desk, key, "publish", note="第一次")
    assert "已发布第 1 版" in words(page)
    told = shown(Client(), key)
    assert told is not None
    assert (told["title"], told["source"], told["as_of"], told["min_zoom"]) == (
        "社区食堂",
        "测试航摄",
        "2026-09-01",
        17,
    )
    assert (told["lon"], told["lat"], told["heading_deg"], told["twin"]) == (121.4737, 31.2304, 30.0, f"/twin/{key}")
    assert told["heights"] == [1.5, 10.5]
    assert fetched(Client(), told["url"])[2] == block(tall=9.0)
    assert "第 1 版" in words(desk.get("/desk/scenes"))
    api = Client().get("/api/v1/scenes", {"bbox": "121.47,31.23,121.48,31.24"}).json()
    assert key in [one["key"] for one in api["scenes"]]
    layer = Client().get("/ogc/collections/scenes/items?f=json&limit=100")
    assert "社区食堂" in words(layer)


def test_a_tileset_says_itself_where_it_lies_and_its_lowest_point_stands_on_the_ground(desk: Client) -> None:
    key = made(desk, "tileset")
    root = tile(None, transform=on_earth(height=14.0), refine="REPLACE", children=[tile(), tile("sub/tileset.json")])
    files = {
        "城区/tileset.json": tileset(root), "城区/block.glb": block(),
        "城区/sub/tileset.json": tileset(tile("more.b3dm")), "城区/sub/more.b3dm": b3dm_of(block(tall=20.0), centre=(4, 0, 0)),
        "城区/readme.html": b"<script>alert(1)</script>",
    }  # fmt: skip
    page = uploaded(desk, key, package(files), "城区.zip")
    assert "1 个文件没有用到" in words(page)
    assert "文件里写明了位置" in words(page)
    done(desk, key, "publish")
    told = shown(Client(), key)
    assert told is not None
    assert (told["positioned"], told["height_m"], told["heights"]) == (True, -14.0, [0.0, 20.0])
    folder = told["url"].removesuffix("tileset.json")
    kinds = {
        "tileset.json": "application/json",
        "block.glb": "model/gltf-binary",
        "sub/more.b3dm": "application/octet-stream",
    }
    for path, kind in kinds.items():
        assert fetched(Client(), folder + path)[:2] == (200, kind)
    assert Client().get(f"{folder}readme.html").status_code == 404
    assert Client().get(f"{folder}../../{told['key']}/x").status_code == 404


def test_a_scene_for_staff_is_nowhere_for_others_not_even_its_files(desk: Client, accounts: None) -> None:
    key = made(desk, audience="staff")
    uploaded(desk, key, block())
    done(desk, key, "place", where="121.4737, 31.2304")
    done(desk, key, "publish")
    told = shown(desk, key)
    assert told is not None
    file = desk.head(told["url"])
    assert (file.status_code, file["Cache-Control"]) == (200, "private, no-cache")
    user = User.objects.create_user("yangpu", display_name="杨浦区管理员", kind=UserKind.STAFF)
    region = RegionVersion.objects.get(code="310110", edition__state="published").region
    grant_role(user=user, role="district_manager", region=region, granted_by="test")
    near, far = signed_in("qu"), signed_in("yangpu")
    assert shown(near, key) is not None
    for client in (Client(), far):
        assert shown(client, key) is None
        assert client.get(told["url"]).status_code == 404
        assert client.get("/scenes.json", {"draft": key}).status_code == 404
        assert key not in words(client.get("/api/v1/scenes"))
        assert "社区食堂" not in words(client.get("/ogc/collections/scenes/items?f=json&limit=100"))
    assert far.get(f"/desk/scenes/{key}").status_code == 404


def test_what_was_published_by_mistake_is_taken_back_or_withdrawn(desk: Client) -> None:
    key = made(desk)
    uploaded(desk, key, block())
    done(desk, key, "place", where="121.4737, 31.2304")
    done(desk, key, "publish")
    first = shown(Client(), key)
    uploaded(desk, key, block(tall=30.0))
    done(desk, key, "about", title="换错了", source="x", audience="everyone", min_zoom="15")
    done(desk, key, "publish")
    second = shown(Client(), key)
    assert first is not None
    assert second is not None
    assert (second["title"], second["heights"]) == ("换错了", [0.0, 30.0])
    assert second["url"] != first["url"]
    assert "已恢复到第 1 版" in words(done(desk, key, "back", number="1"))
    assert shown(Client(), key) == first
    assert "和第 1 版一样" in words(desk.get(f"/desk/scenes/{key}"))
    assert Client().get(second["url"]).status_code == 404
    assert "已撤下" in words(done(desk, key, "withdraw"))
    assert shown(Client(), key) is None
    assert Client().get(first["url"]).status_code == 404
    done(desk, key, "back", number="2")
    assert shown(Client(), key) == second
    said = words(desk.get(f"/desk/scenes/{key}"))
    for act in (
        "恢复到第 2 版",
        "撤下",
        "恢复到第 1 版",
        "发布了第 2 版",
        "改了说明",
        "换成文件“block.glb”",
        "改了位置",
        "新建",
    ):
        assert f"<strong>{act}</strong>" in said


def test_two_people_and_a_double_click_lose_nothing(desk: Client) -> None:
    key = made(desk)
    uploaded(desk, key, block())
    page = desk.get(f"/desk/scenes/{key}")
    stale = {"seen": hidden(page, "seen"), "key": hidden(page, "key")}
    other = signed_in("qu")
    assert "位置已保存" in words(done(other, key, "place", where="121.4737, 31.2304"))
    refused = desk.post(f"/desk/scenes/{key}", {**stale, "act": "place", "where": "121.4741, 31.2301"})
    assert refused.status_code == 409
    assert "刚才改了位置" in words(refused)
    assert 'value="121.4741, 31.2301"' in words(refused)
    fields = {"seen": hidden(desk.get(f"/desk/scenes/{key}"), "seen"), "key": str(uuid4()), "act": "publish"}
    for _ in range(2):
        assert desk.post(f"/desk/scenes/{key}", fields).status_code == 302
    assert SceneVersion.objects.filter(scene__key=key).count() == 1
    late = desk.post(f"/desk/scenes/{key}", {**fields, "key": str(uuid4()), "act": "publish"})
    assert late.status_code == 409
    assert "刚才发布了第 1 版" in words(late)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("116.39, 39.90", "不在上海市范围内"),
        ("31.2304, 121.4737", "写反"),
        ("121.5140, 31.3000", "不在这个模型的所属区域"),
        ("没有这条路 99 号", "没有找到足够准确的位置"),
        ("", "请写地址"),
    ],
    ids=["another city", "swapped", "another district", "no address", "nothing"],
)  # fmt: skip
def test_a_position_that_cannot_be_is_refused_in_words(desk: Client, where: str, said: str) -> None:
    key = made(desk)
    uploaded(desk, key, block())
    page = done(desk, key, "place", where=where)
    assert page.status_code == 400
    assert said in words(page)
    assert Scene.objects.get(key=key).lon is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("block.obj", b"o block", "请上传 .glb"),
        ("block.glb", b"<html><script>", "不是它的名称说的那种文件"),
        ("block.glb", block()[:-8], "文件不完整"),
        ("blocks.zip", b"PK\x03\x04broken", "文件不完整"),
        ("blocks.zip", package({"tileset.json": tileset(tile()), "block.glb": block()}), "另一种模型"),
        ("blocks.zip", package({"../evil.glb": block()}), "不安全的路径"),
        ("blocks.zip", package({"a.glb": b"\0" * 60_000_000}), "展开后过大"),
        ("blocks.zip", package({"a.html": b"x"}), "没有 tileset.json"),
    ],
    ids=["ending", "a page", "cut short", "broken zip", "other kind", "slip", "bomb", "nothing in it"],
)
def test_a_file_that_cannot_be_used_is_refused_in_words_and_nothing_of_it_is_kept(
    desk: Client, name: str, content: bytes, said: str
) -> None:
    key = made(desk)
    page = uploaded(desk, key, content, name)
    assert page.status_code == 400
    assert said in words(page)
    package_ = ScenePackage.objects.filter(scene__key=key).first()
    if package_ is not None:
        assert package_.state == "failed"
        assert not upload_of(package_).exists()
        assert not whole_of(package_).exists()
    assert "没有写来源" not in words(desk.get(f"/desk/scenes/{key}"))


def test_a_tileset_of_another_city_is_refused(desk: Client) -> None:
    key = made(desk, "tileset")
    root = tile(transform=on_earth(116.39, 39.90))
    page = uploaded(desk, key, package({"tileset.json": tileset(root), "block.glb": block()}), "beijing.zip")
    assert page.status_code == 400
    assert "不在上海市范围内" in words(page)


def test_without_the_duty_nobody_gets_in(accounts: None) -> None:
    for name in ("jigou", "jumin"):
        client = signed_in(name)
        assert client.get("/desk/scenes").status_code == 403
        assert client.get("/desk/scenes/demo-home").status_code == 404
        assert client.post("/desk/scenes/new", {"title": "x"}).status_code == 403
        assert client.post("/desk/scenes/demo-home", {"act": "withdraw", "seen": "4"}).status_code == 404
    assert shown(Client(), "demo-home") is not None


def test_a_large_file_is_read_aside_while_its_progress_is_told(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.scenes.actions.AT_ONCE_BYTES", 100)
    key = made(desk)
    assert "正在核对" in words(uploaded(desk, key, block()))
    piece = desk.get(f"/desk/scenes/{key}", headers={"X-Fragment": "progress"})
    assert "data-open" in words(piece)
    assert "<h1" not in words(piece)
    package_ = ScenePackage.objects.get(scene__key=key)
    fields = {"key": str(uuid4()), "seen": "1", "file": SimpleUploadedFile("other.glb", block())}
    again = desk.post(f"/desk/scenes/{key}/files", fields)
    assert again.status_code == 409
    assert "上一个文件正在核对" in words(again)
    assert package_.job is not None
    assert run_job(job_id=package_.job).state == JobState.DONE
    page = desk.get(f"/desk/scenes/{key}")
    assert "data-open" not in words(page)
    assert "block.glb" in words(page)
    assert not upload_of(package_).exists()
    assert whole_of(package_).exists()
    assert Scene.objects.get(key=key).package_id == package_.pk


def test_a_file_whose_reading_died_makes_room_for_the_next(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.scenes.actions.AT_ONCE_BYTES", 100)
    key = made(desk)
    uploaded(desk, key, block())
    first = ScenePackage.objects.get(scene__key=key)
    Job.objects.filter(pk=first.job).update(state=JobState.FAILED)
    monkeypatch.undo()
    page = uploaded(desk, key, block(tall=5.0), "second.glb")
    assert "可以用" in words(page)
    first.refresh_from_db()
    assert (first.state, first.idle_since is None) == ("failed", False)
    assert "没有核对完就停了" in words(page)
    assert not upload_of(first).exists()


def test_files_that_were_never_shown_go_after_a_while(desk: Client) -> None:
    key = made(desk)
    uploaded(desk, key, block())
    uploaded(desk, key, block(tall=5.0))
    left, used = ScenePackage.objects.filter(scene__key=key).order_by("pk")
    assert (left.idle_since is None, used.idle_since) == (False, None)
    purge_records(now=timezone.now() + dt.timedelta(days=93))
    assert list(ScenePackage.objects.filter(scene__key=key)) == [used]
    assert set(ScenePackage.objects.filter(scene__key__startswith="demo").values_list("state", flat=True)) == {"ready"}
