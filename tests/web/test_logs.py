"""Logs hold routes and times, never the query string, which may hold a home."""

import io
import json
import logging

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from geo.tracing import request_of


@pytest.mark.django_db
def test_a_request_is_logged_without_its_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="quantu.request"):
        client.get("/tiles/places.json?q=国权路1弄2号&lon=121.5")
    [line] = [record for record in caplog.records if record.name == "quantu.request"]
    assert line.route == "tiles/<layer_keys:keys>.json"
    assert line.status == 200
    assert "121.5" not in str(line.__dict__)
    assert "国权路" not in str(line.__dict__)


@pytest.mark.django_db
def test_the_health_page_tells_what_it_stands_on(client: Client) -> None:
    answer = client.get("/health").json()
    assert answer["ok"] is True
    assert answer["database"]["detail"].startswith("PostGIS 3")
    assert answer["redis"]["detail"].startswith("Redis 7")
    assert set(answer["worker"]) == {"ok", "detail"}
    assert set(answer["graph"]) == {"ok", "detail"}


def test_a_fault_is_logged_with_the_lines_it_passed_through() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    options = dict(settings.LOGGING["formatters"]["json"])
    handler.setFormatter(options.pop("()")(**options))
    log = logging.getLogger("tests.fault")
    log.setLevel(logging.ERROR)
    log.propagate = False
    log.addHandler(handler)
    try:
        raise KeyError("path")
    except KeyError:
        log.exception("job failed", extra={"job": "7"})
    finally:
        log.removeHandler(handler)
    line = json.loads(written.getvalue())
    assert (line["event"], line["level"], line["job"]) == ("job failed", "error", "7")
    assert "test_logs.py" in line["exception"]
    assert line["exception"].endswith("KeyError: 'path'")


def test_an_error_of_a_request_names_it_by_its_number_and_never_by_its_query() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    options = dict(settings.LOGGING["formatters"]["json"])
    handler.setFormatter(options.pop("()")(**options))
    log = logging.getLogger("tests.request")
    log.setLevel(logging.ERROR)
    log.propagate = False
    log.addHandler(handler)
    asked = RequestFactory().get("/find?lon=121.5&lat=31.2")
    try:
        with request_of("abc123"):
            log.error("Internal Server Error: %s", asked.path, extra={"status_code": 500, "request": asked})
        log.error("outside", extra={"request": asked})
    finally:
        log.removeHandler(handler)
    inside, outside = map(json.loads, written.getvalue().splitlines())
    assert inside["request"] == "abc123"
    assert "request" not in outside
    assert "121.5" not in written.getvalue()
