"""The HTTP API and the pages of exports: from asking to the file, who may, what is refused, what the audit keeps."""

from __future__ import annotations

import dataclasses
import html
import re
import uuid
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from django.test import Client

from geo.jobs.actions import run_job
from geo.jobs.models import Job
from geo.regions.models import Region
from layers import registry
from layers.datasets.actions import describe, publish, restore_dataset, retire
from layers.datasets.editing import add_feature
from layers.datasets.models import Audience
from layers.processes.models import ProcessRun
from services.access.actions import create_api_key, declare_roles, grant_role
from services.access.models import AuditAct, AuditEntry, User
from tests.layers.datasets.making import made, point, sent
from web.api.exports import ExportOut, ExportsOut

pytestmark = pytest.mark.usefixtures("city", "own_folder")
ROOT: Final = "/api/v1/exports"
GOOD: Final = {"layer": "places", "format": "gpkg", "crs": "sh2000"}


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()  # nobody has asked for anything yet


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", password="not-a-real-one")


@pytest.fixture
def signed_in(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    return client


def ask(client: Client, body: dict[str, Any], *, status: int = 202, **headers: Any) -> Any:
    answer = client.post(ROOT, body, content_type="application/json", **headers)
    assert answer.status_code == status, answer.content
    return answer.json()


def worked(made: dict[str, Any]) -> str:
    job = ProcessRun.objects.get(pk=made["id"]).job
    assert job
    run_job(job_id=job.pk)
    return f"{ROOT}/{made['id']}"


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_from_asking_to_the_file() -> None:
    client = Client()
    made = ask(client, GOOD)
    ExportOut.model_validate(made)
    assert (made["state"], made["file"]) == ("queued", None)
    path = f"{ROOT}/{made['id']}"
    early = client.get(f"{path}/file")
    assert (early.status_code, early.json()["code"]) == (409, "result_not_ready")
    worked(made)
    found = client.get(path).json()
    ExportOut.model_validate(found)
    assert (found["state"], found["progress"], found["file"]) == ("done", 1.0, f"{path}/file")
    assert found["about"]["crs"] == "sh2000"
    whole = client.get(found["file"])
    body = content_of(whole)
    assert whole["Content-Type"] == "application/geopackage+sqlite3"
    assert (
        "filename*=utf-8''%E6%9C%8D%E5%8A%A1%E8%AE%BE%E6%96%BD-%E4%B8%8A%E6%B5%B72000" in whole["Content-Disposition"]
    )
    assert body.startswith(b"SQLite format 3")
    assert len(body) == found["size"]
    part = client.get(found["file"], headers={"range": "bytes=100-199", "if-range": whole["ETag"]})
    assert (part.status_code, content_of(part)) == (206, body[100:200])
    assert part["Content-Range"] == f"bytes 100-199/{len(body)}"
    assert client.get(ROOT).json() == {"exports": []}
    assert not AuditEntry.objects.filter(act=AuditAct.LAYER_TAKEN).exists()
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_an_account_lists_stops_and_deletes_its_own_only(signed_in: Client, clerk: User) -> None:
    declare_roles()
    key = create_api_key(user=clerk, name="程序")[1]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    made = ask(Client(), GOOD, **bearer)
    listed = signed_in.get(ROOT).json()
    ExportsOut.model_validate(listed)
    assert [one["id"] for one in listed["exports"]] == [made["id"]]
    path = f"{ROOT}/{made['id']}"
    other = Client()
    other.force_login(User.objects.create_user("other"), backend="django.contrib.auth.backends.ModelBackend")
    for stranger in (other, Client()):
        assert {stranger.get(path).status_code, stranger.get(f"{path}/file").status_code} == {404}
        assert {stranger.post(f"{path}/cancel").status_code, stranger.delete(path).status_code} == {404}
        assert stranger.get(f"/exports/{made['id']}").status_code == 404
    assert Client().post(f"{path}/cancel", **bearer).json()["state"] == "cancelled"
    again = Client().post(f"{path}/cancel", **bearer)
    assert (again.status_code, again.json()["code"]) == (409, "job_ended")


def test_a_forged_form_begins_nothing(clerk: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    assert ask(client, GOOD, status=403)["code"] == "csrf_missing"
    assert client.post("/layers/places/export", {"format": "gpkg"}).status_code == 403
    assert not ProcessRun.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**GOOD, "crs": "gcj02"}, 400, "input_invalid"),
        ({**GOOD, "layer": "nothing"}, 404, "layer_unknown"),
        ({**GOOD, "bbox": [121.5, 31.2, 121.4, 31.3]}, 400, "bbox_order"),
        ({**GOOD, "shape": {"type": "Polygon", "coordinates": [[[1, 2]]]}}, 400, "geometry_coordinates"),
        ({**GOOD, "file": "/etc/passwd"}, 400, "parameter_invalid"),
    ],
)
def test_what_cannot_be_is_refused_in_chinese(body: dict[str, Any], status: int, code: str) -> None:
    said = ask(Client(), body, status=status)
    assert said["code"] == code
    assert re.search("[一-鿿]", said["detail"])
    assert not ProcessRun.objects.exists()


def test_a_request_sent_again_is_answered_with_the_same_run() -> None:
    key = str(uuid.uuid4())
    client = Client()
    assert ask(client, {**GOOD, "id": key})["id"] == ask(client, {**GOOD, "id": key})["id"] == key
    assert Job.objects.filter(kind="layers.process").count() == 1
    assert ask(client, {**GOOD, "format": "csv", "id": key}, status=409)["code"] == "run_id_used"


def test_taking_a_closed_layer_is_audited(clerk: User, signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_roles()
    spec = dataclasses.replace(
        registry.layer("places"), key="closed", title="内部图层", duty="layers.view", path="'310000.310101.'"
    )
    monkeypatch.setattr(registry, "PROVIDERS", [registry.Provider({"closed": spec}.get, lambda: [spec])])
    body = {"layer": "closed", "format": "csv"}
    assert ask(signed_in, body, status=404)["code"] == "layer_unknown"
    assert signed_in.get("/layers/closed/export").status_code == 404
    home = Region.objects.get(versions__code="310101", versions__edition__state="published")
    grant_role(user=clerk, role="district_manager", region=home, granted_by="test")
    client = Client()
    client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
    path = worked(ask(client, body))
    content_of(client.get(f"{path}/file"))
    entry = AuditEntry.objects.get(act=AuditAct.LAYER_TAKEN)
    run = ProcessRun.objects.get()
    assert entry.actor == "clerk"
    assert entry.detail == {"layer": "closed", "run": str(run.pk), "rows": run.rows, "name": run.name}


def test_the_pages_lead_from_the_form_to_the_file(signed_in: Client) -> None:
    page = html.unescape(signed_in.get("/layers/places/export").content.decode())
    assert "导出“服务设施”" in page
    token = re.search(r'name="id" value="([0-9a-f-]+)"', page)
    assert token
    sent = {"id": token[1], "format": "geojson", "crs": "cgcs2000", "attribute": ["name", "kind"], "region": "310101"}
    for _ in range(2):
        answer = signed_in.post("/layers/places/export", sent)
        assert answer["Location"] == f"/exports/{token[1]}"
    run = ProcessRun.objects.get()
    assert run.inputs == {
        "layer": "places",
        "format": "geojson",
        "crs": "wgs84",
        "attributes": ["name", "kind"],
        "region": "310101",
    }
    assert run.job
    assert "停下" in signed_in.get(f"/exports/{run.pk}").content.decode()
    run_job(job_id=run.job.pk)
    done = html.unescape(signed_in.get(f"/exports/{run.pk}").content.decode())
    assert "下载文件" in done
    assert "黄浦区内" in done
    text = signed_in.get(f"/exports/{run.pk}/about.txt")
    assert "坐标系：WGS-84 经纬度" in text.content.decode("utf-8-sig")
    assert content_of(signed_in.get(f"/exports/{run.pk}/file")).startswith(b'{"type":"FeatureCollection"')
    assert run.title in signed_in.get("/exports").content.decode()
    signed_in.post(f"/exports/{run.pk}/delete")
    assert not ProcessRun.objects.exists()


def test_a_form_that_cannot_be_comes_back_as_it_was_with_the_reason() -> None:
    client = Client()
    answer = client.post(
        "/layers/places/export",
        {"format": "csv", "crs": "sh2000", "attribute": ["name"], "bbox": "一,二", "shape": "{"},
    )
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 400
    assert "范围要写四个数" in page
    assert 'value="一,二"' in page
    assert re.search(r'value="csv" checked', page)
    assert re.search(r'value="name" checked', page)
    assert not re.search(r'value="address" checked', page)
    assert not ProcessRun.objects.exists()


def test_files_of_a_layer_that_was_withdrawn_are_not_handed_out_any_more() -> None:
    dataset, client = made(), Client()
    add_feature(sent(dataset), shape=point(), said={"mingcheng": "长椅"})
    publish(sent(dataset))
    run = ask(client, {"layer": dataset.key, "format": "csv"})
    path = worked(run)
    links = [f"{path}/file", f"/exports/{run['id']}/file", f"/ogc/jobs/{run['id']}/results"]
    assert all("长椅".encode() in content_of(client.get(link)) for link in links)
    retire(sent(dataset))
    assert [client.get(link).status_code for link in links] == [404, 404, 404]
    restore_dataset(sent(dataset))
    about = {"title": dataset.title, "summary": "", "source": "", "category": dataset.category}
    describe(sent(dataset), **about, audience=Audience.STAFF)
    assert [client.get(link).status_code for link in links] == [404, 404, 404]
