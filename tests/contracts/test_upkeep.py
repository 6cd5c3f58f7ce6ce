"""Upkeep keeps its word to a caller with every right: whatever is sent, no fault, and a problem for what cannot be meant."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error


def test_strange_requests_of_a_manager_never_make_a_fault(live_city: str) -> None:
    from services.access.actions import create_api_key
    from services.access.demo import make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    _, token = create_api_key(user=User.objects.get(username="shi"), name="核对")
    schema = schemathesis.openapi.from_url(f"{live_city}/api/openapi.json")
    tried: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if "地址维护" not in operation.definition.raw.get("tags", []):
            continue

        @given(case=operation.as_strategy())
        @settings(
            max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        def send(case: Any) -> None:
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code not in (401, 403), answer.content
            if answer.status_code not in (429, 503):
                case.validate_response(answer, checks=[not_a_server_error])
            if answer.status_code >= 400:
                assert answer.headers["content-type"][0].startswith("application/problem+json")

        send()
        tried.append(operation.label)
    assert len(tried) >= 14, tried
