"""What people and programs are told when nothing fits."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_page_that_does_not_exist_says_so_in_chinese(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/tiles/x/y/z"])
def test_a_program_gets_a_problem(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer["Content-Type"].startswith("application/problem+json")


def test_a_wrong_host_is_refused_without_a_trace(client: Client) -> None:
    assert client.get("/api/v1/circle", headers={"Host": "evil.example"}).status_code == 400


def test_a_form_from_elsewhere_is_refused() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in", {"username": "x"})
    assert answer.status_code == 403
    assert "请刷新" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/ogc/collections/places/items", "GET, HEAD, OPTIONS"),
        ("/ogc/collections/places/tiles/WebMercatorQuad/1/1/1", "GET, HEAD, OPTIONS"),
        ("/tiles/places/1/1/1.mvt", "GET, HEAD"),
        ("/tiles/places.json", "GET, HEAD"),
        ("/ogc/processes", "OPTIONS, GET, HEAD"),
        ("/api/v1/places", "GET"),
    ],
)
def test_a_program_is_told_by_what_an_address_is_asked_and_not_that_its_form_expired(path: str, allowed: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path, {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"], answer["Allow"]) == (405, "method_refused", allowed)
    assert allowed in answer.json()["detail"]


def test_a_person_who_comes_by_a_link_to_where_a_button_leads_is_told_so(client: Client) -> None:
    answer = client.get("/sign-out")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "请返回上一页" in answer.content.decode()


def test_a_fault_of_ours_gives_a_number_and_no_trace(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("web.doors.maps.tiles.visible_layers", broken)
    client.raise_request_exception = False
    answer = client.get("/tiles")
    assert answer.status_code == 500
    assert answer.json()["code"] == "fault"
    assert "secret" not in answer.content.decode()
    assert answer.json()["number"] == answer["X-Request-Id"][:4].upper()


def test_no_page_may_load_from_elsewhere_or_run_inline_scripts(client: Client) -> None:
    policy = client.get("/sign-in")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert client.get("/sign-in")["Referrer-Policy"] == "no-referrer"
