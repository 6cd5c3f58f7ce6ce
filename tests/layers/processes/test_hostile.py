"""OGC API – Processes asked by somebody who means harm: bodies, references, floods."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from layers.processes.models import ProcessRun
from tests.layers.processes.test_ogc_processes import POINT, begun, content_of, own_folder, worked

__all__ = ["own_folder"]

pytestmark = pytest.mark.usefixtures("city", "own_folder")


@pytest.fixture
def client() -> Client:
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


def sent(client: Client, body: bytes, key: str = "buffer", **headers: str) -> Any:
    return client.post(f"/ogc/processes/{key}/execution", body, content_type="application/json", headers=headers)


def with_features(text: str) -> bytes:
    return b'{"inputs": {"metres": 1, "features": ' + text.encode() + b"}}"


def said(**properties: Any) -> bytes:
    return json.dumps({"inputs": {"metres": 1, "features": {**POINT, "properties": properties}}}).encode()


def shaped(geometry: Any) -> bytes:
    return json.dumps({"inputs": {"metres": 1, "features": {**POINT, "geometry": geometry}}}).encode()


def of_places(**inputs: Any) -> bytes:
    return json.dumps({"inputs": {"metres": 1, "layer": "places", **inputs}}).encode()


def behind(href: Any) -> bytes:
    return json.dumps({"inputs": {"metres": 1, "features": {"href": href}}}).encode()


PLACED: Final = '{"type":"Feature","geometry":{"type":"Point","coordinates":[121.4,31.2]},"properties":{"a":%s}}'
OURS: Final = "http://localhost/ogc"


BODIES: Final = {
    "deep lists": with_features("[" * 1_000 + "]" * 1_000),
    "deeper lists": with_features("[" * 400_000 + "]" * 400_000),
    "deep objects": with_features('{"a":' * 900 + "1" + "}" * 900),
    "deep property": with_features(PLACED % ("[" * 900 + "]" * 900)),
    "property a little deep": with_features(PLACED % ("[" * 40 + "]" * 40)),
    "nested collections": shaped(json.loads('{"type":"GeometryCollection","geometries":[' * 60 + "]}" * 60)),
    "number 0": said(a="a\0b"),
    "number 0 in a name": said(**{"a\0b": 1}),
    "half a character": with_features(PLACED % r'"\ud800"'),
    "many names": json.dumps({"inputs": {f"n{at}": at for at in range(60_000)}}).encode(),
    "a long name": json.dumps({"inputs": {"n" * 900_000: 1}}).encode(),
    "nothing": b"",
    "null": b"null",
    "utf-16": '{"inputs":{}}'.encode("utf-16"),
    "no text": b"\xff\xfe\x00",
    "large": of_places(filter="x" * 990_000),
    "too large for anybody": of_places(filter="x" * 9_000_000),
    "a list of forms": b'{"inputs": {}, "response": ["raw"]}',
    "no form": b'{"inputs": {}, "response": null}',
    "a list of outputs": b'{"inputs": {}, "outputs": ["result"]}',
    "a list of ways": b'{"inputs": {}, "outputs": {"result": {"transmissionMode": ["value"]}}}',
    "told elsewhere": b'{"inputs": {}, "subscriber": {"successUri": "http://169.254.169.254/"}}',
    "endless": b'{"inputs": {"metres": 1e999}}',
    "five thousand digits": b'{"inputs": {"metres": ' + b"9" * 5_000 + b"}}",
    "no number": b'{"inputs": {"metres": NaN}}',
    "an endless height": with_features(PLACED.replace("31.2", "31.2,1e999") % 1),
    "a ring of two": shaped({"type": "Polygon", "coordinates": [[[121, 31], [121, 31]]]}),
    "a list of references": behind(["http://a"]),
    "a broken reference": behind("http://["),
    "number 0 in a reference": behind(f"{OURS}/\0"),
    "a port that is none": behind("http://localhost:99999999/ogc/api"),
    "a reference to itself": behind(f"{OURS}/processes/buffer/execution"),
    "a reference to no features": behind(f"{OURS}/jobs"),
    "a reference to a page": behind(f"{OURS}?f=html"),
    "a reference to a tile": behind(f"{OURS}/collections/places/tiles/WebMercatorQuad/0/0/0"),
    "a long reference": behind(f"{OURS}/{'a' * 500_000}"),
    "a reference that is refused": behind(f"{OURS}/collections/places/items?filter=%00&f=json"),
    "deep brackets": of_places(filter="(" * 7_000),
    "many negations": of_places(filter="NOT " * 1_900 + " true"),
    "number 0 in a condition": of_places(filter="name = '\0'"),
    "a line after a region": of_places(region="310101\n"),
    "number 0 in a layer": of_places(layer="pl\0aces"),
    "a box beyond the earth": of_places(bbox={"bbox": [1e308, -1e308, 1e308, 1e308]}),
    "a box turned over": of_places(bbox={"bbox": [180, 90, -180, -90]}),
    "a shape of nothing": of_places(shape={"type": "GeometryCollection", "geometries": []}),
    "a shape without area": of_places(shape={"type": "Point", "coordinates": [121.4, 31.2]}),
    "a deep shape": of_places(shape={"type": "Polygon", "coordinates": json.loads("[" * 500 + "]" * 500)}),
}
FAR: Final = {
    "beyond all numbers": shaped({"type": "Point", "coordinates": [0, 0]}),
    "the pole": shaped({"type": "Point", "coordinates": [121, 90]}),
}
RING: Final = [[121, 31], [122, 31], [122, 32], [121, 31]]


def an_export(more: str) -> bytes:
    shape = f'{{"type":"Polygon","coordinates":[{json.dumps(RING)}],{more}}}'
    return f'{{"layer":"places","format":"geojson","shape":{shape}}}'.encode()


EXPORTS: Final = {
    "deep": an_export('"a":' + "[" * 400_000),
    "a little deep": an_export('"a":' + "[" * 40 + "]" * 40),
    "number 0": an_export(r'"a":"\u0000"'),
    "half a character": an_export(r'"a":"\ud800"'),
    "half a character in a condition": rb'{"layer":"places","format":"geojson","filter":"\ud800"}',
    "no number": an_export('"a":NaN'),
    "endless": an_export('"a":1e999'),
    "four thousand digits": an_export(f'"a":{"9" * 4_000}'),
}
MODES: Final = ["respond-sync", "respond-async"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_refused_in_short_words(client: Client, body: bytes, mode: str) -> None:
    answer = sent(client, body, prefer=mode)
    assert answer.status_code in {400, 404, 413}, answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    assert len(answer.content) < 5_000
    assert any("\u4e00" <= sign <= "\u9fff" for sign in answer.json()["detail"])
    assert not ProcessRun.objects.exists()


@pytest.mark.parametrize("body", FAR.values(), ids=FAR)
def test_what_lies_far_off_ends_with_its_reason(client: Client, body: bytes) -> None:
    answer = sent(client, body, prefer="respond-sync")
    assert answer.status_code == 400
    assert answer.json()["title"] == "没能完成"
    assert "适用范围" in answer.json()["detail"]


@pytest.mark.parametrize("inputs", EXPORTS.values(), ids=EXPORTS)
def test_the_other_door_to_the_same_runs_refuses_them_too(client: Client, inputs: bytes) -> None:
    answer = client.post("/api/v1/exports", inputs, content_type="application/json")
    assert answer.status_code in {400, 413}, answer.content
    assert len(answer.content) < 5_000
    assert not ProcessRun.objects.exists()


def test_references_are_followed_for_inputs_that_there_are_only(client: Client) -> None:
    href = "http://localhost/ogc/collections/places/items?limit=1000&f=json"
    body = json.dumps({"inputs": {f"n{at}": {"href": href} for at in range(300)}}).encode()
    with CaptureQueriesContext(connection) as asked:
        answer = sent(client, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "input_unknown")
    assert len(asked) < 5


def test_the_file_of_a_job_is_an_input_as_its_results_are(client: Client) -> None:
    first = worked(begun(client))
    for tail in ("/results", "/results/result"):
        again = json.dumps({"inputs": {"metres": 1, "features": {"href": f"http://localhost{first}{tail}"}}}).encode()
        answer = sent(client, again, prefer="respond-sync")
        assert answer.status_code == 200
        assert len(json.loads(content_of(answer))["features"]) == 2


@pytest.mark.timeout(120, func_only=True)
@pytest.mark.parametrize("teeth", [2_500, 12_000])
def test_an_area_of_very_many_corners_is_grown_or_given_up_in_time(client: Client, teeth: int) -> None:
    across, up = [at // 2 for at in range(4 * teeth)], [(0, 1, 1, 0)[at % 4] for at in range(4 * teeth)]
    ring = [[round(121.4 + x * 2e-6, 7), 31.2 + 0.01 * y] for x, y in zip(across, up, strict=True)]
    ring = [*ring, [ring[-1][0], 31.1999], [121.4, 31.1999], ring[0]]
    features = {**POINT, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    body = json.dumps({"inputs": {"metres": 100, "features": features}}).encode()
    assert len(body) < 1_000_000
    at = time.monotonic()
    answer = sent(client, body, prefer="respond-sync")
    assert time.monotonic() - at < 40
    said = json.loads(content_of(answer))
    assert answer.status_code == 200 or said["code"] == "run_too_long"
