"""``/ogc`` keeps its word: whatever a client sends, the answer is one that its API document declares, and never a fault."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

PROCESSES = ("buffer", "export", "reproject")
THERE: dict[str, Sequence[Any]] = {
    "collectionId": ("places", "roads", "regions", "catchments"),
    "crsId": ("sh2000",),
    "tileMatrixSetId": ("WebMercatorQuad", "CGCS2000Quad"),
    "tileMatrix": ("10",),
    "tileRow": ("418", "305"),
    "tileCol": ("857", "1713"),
    "processID": PROCESSES,
    "outputID": ("result",),
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BODIES = (
    {"inputs": {"layer": "catchments", "metres": 50}},
    {"inputs": {"layer": "catchments", "format": "csv"}, "response": "document"},
    {"inputs": {"layer": "catchments", "crs": "EPSG:3857"}, "outputs": {"result": {"transmissionMode": "reference"}}},
)


@pytest.fixture
def token(live_city: str) -> str:
    """Return a key of the manager of the city: callers with a key are limited less, and have jobs of their own."""
    from services.access.actions import create_api_key
    from services.access.demo import make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    return create_api_key(user=User.objects.get(username="shi"), name="核对")[1]


@pytest.fixture
def jobs(live_city: str, token: str) -> list[str]:
    """Return the ids of jobs: of one that ended with a result, then of two that wait for ever, because there is no worker."""
    made: list[str] = []
    for body in BODIES[:1] * 2 + BODIES[1:2]:
        answer = requests.post(
            f"{live_city}/ogc/processes/{'buffer' if 'metres' in str(body) else 'export'}/execution",
            json=body,
            headers={"X-API-Key": token, "Prefer": "respond-async" if made else "respond-sync"},
            timeout=30,
        )
        assert answer.status_code in (200, 201), answer.text
        listed = requests.get(f"{live_city}/ogc/jobs", headers={"X-API-Key": token}, timeout=30).json()["jobs"]
        made += [one["jobID"] for one in listed if one["jobID"] not in made]
    return made


def place(case: Any, tried: int, jobs: list[str]) -> None:
    """Let two of three cases speak of layers, processes and jobs that there are, as far as they may."""
    named = case.path_parameters or {}
    if tried % 3:
        there = {**THERE, "jobID": jobs[-1:] if case.method == "DELETE" else jobs[:-1]}
        for name in named.keys() & there.keys():
            named[name] = there[name][tried % len(there[name])]
        if "processID" in named and case.method == "POST" and tried % 3 == 1:
            case.body = BODIES[tried % len(PROCESSES)]


def answers_of(operation: Any, token: str, jobs: list[str]) -> set[int]:
    """Send strange requests to an operation, assert that each answer is one it declares, and return their statuses."""
    numbers, told = itertools.count(1), set[int]()

    @given(case=operation.as_strategy())
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def send(case: Any) -> None:
        place(case, next(numbers), jobs)
        answer = case.call(headers={"X-API-Key": token})
        told.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0].startswith("application/problem+json")

    send()
    return told


def test_strange_requests_never_make_a_fault(live_city: str, token: str, jobs: list[str]) -> None:
    schema = schemathesis.openapi.from_url(f"{live_city}/ogc/api")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 20
    told = {one.label: answers_of(one, token, jobs) for one in operations}
    idle = {label: statuses for label, statuses in told.items() if not statuses & {200, 201, 204}}
    assert idle == {}, "every operation did what it is there for at least once"
