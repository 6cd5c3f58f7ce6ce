"""The API keeps its own word: whatever a client sends, the answer is one that the OpenAPI document declares, and never a fault."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


@pytest.fixture
def manager(live_city: str) -> dict[str, str]:
    """Return the headers of a caller with the key of the manager of the city."""
    from services.access.actions import create_api_key
    from services.access.demo import make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    _, token = create_api_key(user=User.objects.get(username="shi"), name="核对")
    return {"Authorization": f"Bearer {token}"}


def check(operation: Any, headers: dict[str, str]) -> None:
    """Send strange requests to an operation and assert that each answer is one it declares."""

    @given(case=operation.as_strategy())
    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def send(case: Any) -> None:
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS if answer.status_code != 503 else CHECKS[1:])
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0].startswith("application/problem+json")

    send()


def test_strange_requests_never_make_a_fault(live_city: str) -> None:
    schema = schemathesis.openapi.from_url(f"{live_city}/api/openapi.json")
    every = [result.ok() for result in schema.get_all_operations()]
    assert len(every) > 60
    for operation in every:
        check(operation, {})


def test_strange_requests_of_a_manager_never_make_a_fault(live_city: str, manager: dict[str, str]) -> None:
    schema = schemathesis.openapi.from_url(f"{live_city}/api/openapi.json")
    for operation in (result.ok() for result in schema.get_all_operations()):
        check(operation, manager)


def test_schemas_of_one_name_are_kept_apart(client: Client, city: None) -> None:
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    regions = [
        tuple(sorted(one["properties"])) for name, one in schemas.items() if name.rstrip("0123456789") == "RegionOut"
    ]
    assert len(set(regions)) == len(regions) > 3
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert named <= set(schemas)


NUMBERS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.sampled_from(["", " ", "1e999", "-0", "１２１.５", "NaN", "0x10", "121,47", "'", "%00", "٣"]),
)


@given(lon=NUMBERS, lat=NUMBERS, minutes=NUMBERS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_numbers_that_are_none_are_refused_with_a_problem(city: None, lon: str, lat: str, minutes: str) -> None:
    answer = Client(raise_request_exception=False).get(
        "/api/v1/circle", {"lon": lon, "lat": lat, "minutes": minutes, "kinds": "nursery"}
    )
    assert answer.status_code in {200, 400, 413, 429, 503}
    if answer.status_code != 200:
        assert answer.json()["code"]


@pytest.mark.parametrize("path", ["/api/openapi.json"])
def test_every_operation_has_a_chinese_summary_and_an_example(client: Client, city: None, path: str) -> None:
    document = client.get(path).json()
    for method, address in operations(document):
        operation = document["paths"][address][method.lower()]
        words = operation.get("summary", "") + operation.get("description", "")
        assert any("一" <= letter <= "鿿" for letter in words), (method, address, words)
        parameters = operation.get("parameters", [])
        shown = "example" in str(parameters) + str(operation.get("requestBody", ""))
        assert shown or not parameters, (method, address)
