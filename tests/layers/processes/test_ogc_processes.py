"""OGC API – Processes Part 1 (18-062r2), clause by clause from its abstract tests; the table is in docs/how-to/processes.md."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
import redis
import shapely
from django.test import Client

from geo.crs import CITIES, PLANES, System
from geo.geometry import to_plane
from geo.jobs.actions import run_job
from layers.processes import jobs as work
from layers.processes.models import ProcessRun
from layers.processes.queries import job_of
from services.access.models import User

pytestmark = pytest.mark.usefixtures("city", "own_folder")
CONF: Final = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
EXCEPTIONS: Final = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
POINT: Final = {
    "type": "Feature",
    "id": "a",
    "properties": {"名": "甲"},
    "geometry": {"type": "Point", "coordinates": [121.47, 31.23]},
}
BESIDE: Final = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [121.4705, 31.23]}}
TWO: Final = {"type": "FeatureCollection", "features": [POINT, BESIDE]}
BUFFER: Final = {"metres": 100, "features": TWO}
EXPORT: Final = {"layer": "places", "format": "geojson"}


@pytest.fixture
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture
def client() -> Client:
    """Return a clerk's browser: jobs of people without an account are listed to nobody."""
    user = User.objects.create_user("clerk")
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def execute(client: Client, key: str, inputs: dict[str, Any], *, prefer: str = "", **more: Any) -> Any:
    headers = {"prefer": prefer} if prefer else {}
    body = {"inputs": inputs, **more}
    return client.post(f"/ogc/processes/{key}/execution", body, content_type="application/json", headers=headers)


def begun(client: Client, key: str = "buffer", inputs: dict[str, Any] = BUFFER, **more: Any) -> str:
    answer = execute(client, key, inputs, prefer="respond-async", **more)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["jobID"])


def worked(job_id: str) -> str:
    run_job(job_id=job_of(ProcessRun.objects.get(pk=job_id)).pk)
    return f"/ogc/jobs/{job_id}"


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def rels(document: dict[str, Any]) -> dict[str, str]:
    return {one["rel"]: one["href"] for one in document["links"]}


def test_landing_page_api_and_conformance_name_processes(client: Client) -> None:
    links = rels(client.get("/ogc?f=json").json())
    assert links[f"{REL}processes"].endswith("/ogc/processes")
    assert links[f"{REL}job-list"].endswith("/ogc/jobs")
    declared = client.get("/ogc/conformance?f=json").json()["conformsTo"]
    ours = {"core", "ogc-process-description", "json", "oas30", "job-list", "dismiss"}
    assert {uri.removeprefix(CONF) for uri in declared if uri.startswith(CONF)} == ours
    described = client.get("/ogc/api?f=json").json()
    assert set(described["paths"]) >= {
        "/processes", "/processes/{processID}", "/processes/{processID}/execution", "/jobs", "/jobs/{jobID}",
        "/jobs/{jobID}/results",
    }  # fmt: skip


def test_the_list_of_processes_has_summaries_and_a_limit(client: Client) -> None:
    found = client.get("/ogc/processes").json()
    assert [one["id"] for one in found["processes"]] == ["export", "reproject", "buffer"]
    for one in found["processes"]:
        assert {"id", "version", "title", "description", "jobControlOptions", "outputTransmission"} <= set(one)
        assert client.get(rels(one)["self"].removeprefix("http://localhost")).json()["id"] == one["id"]
    assert "self" in rels(found)
    assert len(client.get("/ogc/processes?limit=1").json()["processes"]) == 1
    assert client.get("/ogc/processes?limit=0").status_code == 400
    assert client.get("/ogc/processes?nothing=1").status_code == 400
    page = client.get("/ogc/processes", headers={"accept": "text/html"}).content.decode()
    assert "缓冲区" in page


@pytest.mark.parametrize("key", ["export", "reproject", "buffer"])
def test_a_description_has_inputs_and_outputs_with_schemas(client: Client, key: str) -> None:
    found = client.get(f"/ogc/processes/{key}").json()
    for put in (*found["inputs"].values(), *found["outputs"].values()):
        jsonschema_rs.validator_for(put["schema"])
        assert put["title"]
    assert list(found["outputs"]) == ["result"]
    assert set(found["jobControlOptions"]) <= {"sync-execute", "async-execute", "dismiss"}
    assert rels(found)[f"{REL}execute"].endswith(f"/processes/{key}/execution")
    assert f"/ogc/processes/{key}/execution" in client.get(f"/ogc/processes/{key}?f=html").content.decode()


@pytest.mark.parametrize("path", ["/ogc/processes/nothing", "/ogc/processes/nothing/execution"])
def test_a_process_that_is_not_there_is_told_as_the_standard_says(client: Client, path: str) -> None:
    answer = client.post(path, {}, content_type="application/json") if path.endswith("execution") else client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["type"] == f"{EXCEPTIONS}no-such-process"


def test_execution_is_sync_by_default_async_when_preferred_or_when_there_is_no_other_way(client: Client) -> None:
    at_once = execute(client, "buffer", BUFFER)
    assert at_once.status_code == 200
    behind = execute(client, "buffer", BUFFER, prefer="respond-async, wait=10")
    assert behind.status_code == 201
    assert behind["Preference-Applied"] == "respond-async"
    only = execute(client, "export", EXPORT)
    assert only.status_code == 201
    for answer in (behind, only):
        job_id = answer.json()["jobID"]
        assert answer["Location"] == f"http://localhost/ogc/jobs/{job_id}"
        assert answer.json()["status"] == "accepted"
        assert client.get(f"/ogc/jobs/{job_id}").json()["jobID"] == job_id


def test_a_sync_result_is_the_buffer_itself_raw(client: Client) -> None:
    answer = execute(client, "buffer", BUFFER)
    found = json.loads(content_of(answer))
    assert answer["Content-Type"] == "application/geo+json"
    assert [one.get("id") for one in found["features"]] == ["a", None]
    assert found["features"][0]["properties"] == {"名": "甲"}
    shape = to_plane(shapely.from_geojson(json.dumps(found["features"][0]["geometry"])), CITIES["shanghai"])
    assert shape.area == pytest.approx(3.14159 * 100**2, rel=0.003)
    centre = to_plane(shapely.Point(121.47, 31.23), CITIES["shanghai"])
    assert shape.centroid.distance(centre) < 0.02


def test_a_buffer_is_dissolved_when_that_is_asked_for(client: Client) -> None:
    found = json.loads(content_of(execute(client, "buffer", {**BUFFER, "dissolve": True})))
    (one,) = found["features"]
    assert one["properties"] == {"count": 2, "metres": 100.0}
    apart = json.loads(content_of(execute(client, "buffer", BUFFER)))["features"]
    whole = shapely.union_all([shapely.from_geojson(json.dumps(each["geometry"])) for each in apart])
    shape = shapely.from_geojson(json.dumps(one["geometry"]))
    assert shape.symmetric_difference(whole).area < 1e-4 * whole.area


def test_rows_of_a_layer_are_reprojected_and_narrowed(client: Client) -> None:
    box = {"bbox": [121.0, 30.5, 122.0, 31.5], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    found = json.loads(content_of(execute(client, "reproject", {"layer": "places", "crs": "sh2000", "bbox": box})))
    assert found["coordRefSys"] == "sh2000"
    assert len(found["features"]) > 10
    items = client.get("/ogc/collections/places/items?limit=1000&f=json").json()["features"]
    there = {one["id"]: one["geometry"]["coordinates"] for one in items}
    for one in found["features"]:
        east, north = PLANES[System.SH2000].forward(*there[one["id"]])
        assert one["geometry"]["coordinates"] == pytest.approx([float(east), float(north)], abs=0.02)
        assert one["properties"]["name"]


def test_results_by_reference_and_as_a_document(client: Client) -> None:
    by_reference = {"result": {"transmissionMode": "reference"}}
    raw = execute(client, "buffer", BUFFER, outputs=by_reference)
    assert (raw.status_code, raw.content) == (204, b"")
    href = raw["Link"].partition(">")[0].lstrip("<")
    assert json.loads(content_of(client.get(href.removeprefix("http://localhost"))))["type"] == "FeatureCollection"
    document = execute(client, "buffer", BUFFER, response="document").json()
    assert document["result"]["mediaType"] == "application/geo+json"
    assert len(document["result"]["value"]["features"]) == 2
    linked = execute(client, "buffer", BUFFER, response="document", outputs=by_reference).json()
    assert linked["result"]["type"] == "application/geo+json"
    assert content_of(client.get(linked["result"]["href"].removeprefix("http://localhost")))


def test_results_of_a_job_come_as_they_were_asked_for(client: Client) -> None:
    raw = client.get(f"{worked(begun(client))}/results")
    assert len(json.loads(content_of(raw))["features"]) == 2
    told = {"response": "document", "outputs": {"result": {"transmissionMode": "value"}}}
    packed = client.get(
        f"{worked(begun(client, 'export', {'layer': 'places', 'format': 'gpkg'}, **told))}/results"
    ).json()
    assert base64.b64decode(packed["result"]["value"]).startswith(b"SQLite format 3")
    assert packed["result"]["encoding"] == "base64"
    told["outputs"] = {"result": {"transmissionMode": "reference"}}
    linked = client.get(f"{worked(begun(client, **told))}/results").json()
    assert linked["result"]["href"].endswith("/results/result")


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, "input_missing"),
        ({**BUFFER, "metres": "100"}, "input_invalid"),
        ({**BUFFER, "metres": 1e9}, "input_invalid"),
        ({**BUFFER, "metres": 0}, "distance_zero"),
        ({**BUFFER, "more": 1}, "input_unknown"),
        ({**BUFFER, "layer": "places"}, "source_unclear"),
        ({"metres": 1, "features": {"type": "FeatureCollection", "features": [{"geometry": None}]}}, "geometry_type"),
        ({"metres": 1, "features": {"type": "FeatureCollection", "features": "x"}}, "features_invalid"),
        ({**BUFFER, "bbox": {"bbox": [1, 2, 3]}}, "input_invalid"),
    ],
)
def test_inputs_are_validated(client: Client, inputs: dict[str, Any], code: str) -> None:
    answer = execute(client, "buffer", inputs)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not ProcessRun.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"inputs": 3}', b'{"response": "xml"}', b'{"outputs": {"other": {}}}', b'{"mode": "sync"}',
     b'{"outputs": {"result": {"transmissionMode": "mail"}}}', b'{"subscriber": {"successUri": "http://10.0.0.1/"}}'],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/ogc/processes/buffer/execution", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")


def test_inputs_may_be_qualified_or_stand_behind_a_reference_of_ours(client: Client) -> None:
    qualified = {"metres": {"value": 100}, "features": {"value": TWO, "mediaType": "application/geo+json"}}
    assert len(json.loads(content_of(execute(client, "buffer", qualified)))["features"]) == 2
    href = "http://localhost/ogc/collections/places/items?limit=3&f=json"
    behind = execute(client, "buffer", {"metres": 50, "features": {"href": href, "type": "application/geo+json"}})
    wanted = [one["id"] for one in client.get(href.removeprefix("http://localhost")).json()["features"]]
    assert [one["id"] for one in json.loads(content_of(behind))["features"]] == wanted
    first = worked(begun(client))
    again = {"metres": 10, "features": {"href": f"http://localhost{first}/results"}}
    assert len(json.loads(content_of(execute(client, "buffer", again)))["features"]) == 2


@pytest.mark.parametrize(
    "href",
    ["http://169.254.169.254/latest/meta-data", "http://localhost:1/ogc/collections", "file:///etc/passwd",
     "http://localhost/account", "https://localhost/ogc/collections", "http://localhost/ogc/../account",
     "http://localhost/ogc/nothing", "http://localhost@10.0.0.1/ogc/api"],
)  # fmt: skip
def test_a_reference_leads_nowhere_else(client: Client, href: str) -> None:
    answer = execute(client, "buffer", {"metres": 1, "features": {"href": href}})
    assert answer.status_code == 400
    assert answer.json()["code"] in {"reference_elsewhere", "reference_broken"}


def test_a_job_says_how_far_it_is_and_where_its_results_are(client: Client) -> None:
    job_id = begun(client)
    early = client.get(f"/ogc/jobs/{job_id}").json()
    assert (early["status"], early["progress"], early["type"], early["processID"]) == (
        "accepted",
        0,
        "process",
        "buffer",
    )
    not_ready = client.get(f"/ogc/jobs/{job_id}/results")
    assert (not_ready.status_code, not_ready.json()["type"]) == (404, f"{EXCEPTIONS}result-not-ready")
    done = client.get(worked(job_id)).json()
    assert (done["status"], done["progress"]) == ("successful", 100)
    assert {"created", "started", "finished", "updated"} <= set(done)
    assert rels(done)[f"{REL}results"].endswith(f"/jobs/{job_id}/results")


@pytest.mark.parametrize("path", ["", "/results", "/results/result"])
@pytest.mark.parametrize("job_id", ["5b0f7f5e-6f0a-4a55-9d0a-0c6b5f3d9e11", "no-uuid"])
def test_a_job_that_is_not_there_is_told_as_the_standard_says(client: Client, job_id: str, path: str) -> None:
    answer = client.get(f"/ogc/jobs/{job_id}{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, f"{EXCEPTIONS}no-such-job")


def test_the_results_of_a_failed_job_are_its_reason(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LONGEST_S", -1.0)
    path = worked(begun(client))
    assert client.get(path).json()["status"] == "failed"
    answer = client.get(f"{path}/results")
    assert (answer.status_code, answer.json()["code"]) == (400, "run_too_long")
    monkeypatch.setattr(work, "AT_ONCE_S", -1.0)
    at_once = execute(client, "buffer", BUFFER)
    assert (at_once.status_code, at_once.json()["code"]) == (400, "run_too_long")


def test_dismissing_a_job_stops_it_and_deletes_what_it_made(client: Client) -> None:
    waiting, done = begun(client), begun(client)
    worked(done)
    for job_id in (waiting, done):
        job = job_of(ProcessRun.objects.get(pk=job_id))
        answer = client.delete(f"/ogc/jobs/{job_id}")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["jobID"]) == ("dismissed", job_id)
        assert client.get(f"/ogc/jobs/{job_id}").status_code == 404
        assert client.delete(f"/ogc/jobs/{job_id}").status_code == 404
        job.refresh_from_db()
        assert job.state in ("cancelled", "done")


def test_jobs_are_listed_to_their_asker_and_narrowed(client: Client) -> None:
    done, waiting = begun(client), begun(client, "reproject", {"crs": "sh2000", "features": TWO})
    worked(done)

    def listed(query: str = "") -> list[str]:
        answer = client.get(f"/ogc/jobs{query}")
        assert answer.status_code == 200, answer.content
        return [one["jobID"] for one in answer.json()["jobs"]]

    assert listed() == [waiting, done]
    assert listed("?processID=buffer") == [done]
    assert listed("?processID=buffer,reproject&type=process") == [waiting, done]
    assert listed("?type=other") == []
    assert listed("?status=successful") == [done]
    assert listed("?status=accepted,running") == [waiting]
    assert listed("?datetime=2020-01-01T00:00:00Z/..") == [waiting, done]
    assert listed("?datetime=../2020-01-01T00:00:00Z") == []
    assert listed("?minDuration=1000") == []
    assert listed("?maxDuration=1000") == [done]
    first = client.get("/ogc/jobs?limit=1").json()
    assert [one["jobID"] for one in first["jobs"]] == [waiting]
    assert listed(rels(first)["next"].removeprefix("http://localhost/ogc/jobs")) == [done]
    for bad in ("?status=lost", "?limit=x", "?minDuration=-1", "?datetime=gestern", "?what=1"):
        assert client.get(f"/ogc/jobs{bad}").status_code == 400
    other = Client(headers={"host": "localhost"})
    assert other.get("/ogc/jobs").json()["jobs"] == []
    assert other.get(f"/ogc/jobs/{done}").status_code == 404
    assert other.get(f"/ogc/jobs/{done}/results").status_code == 404
    assert other.delete(f"/ogc/jobs/{done}").status_code == 404


def test_a_forged_form_executes_nothing() -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    client.force_login(User.objects.create_user("clerk"), backend="django.contrib.auth.backends.ModelBackend")
    assert execute(client, "buffer", BUFFER).status_code == 403
    assert not ProcessRun.objects.exists()
    nobody = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
    assert content_of(execute(nobody, "buffer", BUFFER))


def test_other_methods_are_told_which_there_are(client: Client) -> None:
    for path, allowed in (("/ogc/processes", "GET"), ("/ogc/processes/buffer/execution", "POST"), ("/ogc/jobs", "GET")):
        assert client.put(path).status_code == 405
        assert allowed in client.options(path)["Allow"]
