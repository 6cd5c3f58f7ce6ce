"""Sign-in, sign-out, lockout, the key page and the API's answer to keys, over HTTP."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from services.access.actions import create_api_key
from services.access.models import ApiKey, AuditEntry, User

pytestmark = pytest.mark.django_db
PASSWORD = "a-good-long-one"


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", password=PASSWORD)


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("act", flat=True))


def test_signing_in_leads_back_and_is_audited(client: Client, clerk: User) -> None:
    answer = client.post("/sign-in", {"username": "clerk", "password": PASSWORD, "next": "/account"})
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    client.post("/sign-out")
    assert acts() == ["sign_in", "sign_out"]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_led_to_another_host(client: Client, clerk: User, target: str) -> None:
    answer = client.post("/sign-in", {"username": "clerk", "password": PASSWORD, "next": target})
    assert answer["Location"] == "/account"


def test_a_wrong_password_says_so_and_is_audited(client: Client, clerk: User) -> None:
    answer = client.post("/sign-in", {"username": "clerk", "password": "wrong"})
    assert "账号或密码不对" in answer.content.decode()
    assert acts() == ["sign_in_refused"]


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(client: Client, clerk: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/sign-in", {"username": "clerk", "password": "wrong"})
    assert answer.status_code == 429
    assert "15 分钟" in answer.content.decode()
    assert client.post("/sign-in", {"username": "clerk", "password": PASSWORD}).status_code == 429


def test_a_key_is_made_on_the_page_shown_once_and_stopped(client: Client, clerk: User) -> None:
    client.force_login(clerk)
    shown = client.post("/account/keys", {"name": "街道公众号"}, follow=True).content.decode()
    key = ApiKey.objects.get()
    token = shown.split('class="token">')[1].split("<")[0]
    assert token.startswith(key.prefix)
    assert token not in client.get("/account").content.decode()
    client.post(f"/account/keys/{key.prefix}/stop")
    assert "已停用" in client.get("/account").content.decode()


def test_a_key_without_a_purpose_is_asked_for_one(client: Client, clerk: User) -> None:
    client.force_login(clerk)
    answer = client.post("/account/keys", {"name": "  "})
    assert answer.status_code == 400
    assert "请写下密钥的用途" in answer.content.decode()


@pytest.mark.parametrize("path", ["/account", "/account/keys", "/account/keys/qt_x/stop"])
def test_the_account_asks_strangers_to_sign_in(client: Client, path: str) -> None:
    answer = client.get(path) if path == "/account" else client.post(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


def test_a_bad_key_on_the_api_is_a_problem_and_not_ignored(client: Client) -> None:
    answer = client.post("/api/v1/convert", headers={"Authorization": "Bearer qt_nonsense"})
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"] == "api_key_invalid"


def test_a_key_remembers_the_day_it_was_used(client: Client, clerk: User) -> None:
    key, token = create_api_key(user=clerk, name="小程序")
    client.get("/tiles", headers={"Authorization": f"Bearer {token}"})
    key.refresh_from_db()
    assert key.last_used_on == timezone.localdate()


def test_only_listed_origins_may_read_the_api_from_a_page(client: Client, settings: Any) -> None:
    settings.CORS_ORIGINS = ["https://partner.example"]
    allowed = client.get("/tiles", headers={"Origin": "https://partner.example"})
    assert allowed["Access-Control-Allow-Origin"] == "https://partner.example"
    preflight = {"Origin": "https://partner.example", "Access-Control-Request-Method": "GET"}
    answer = client.options("/api/v1/circle", headers=preflight)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, "https://partner.example")
    stranger = client.options("/api/v1/circle", headers={**preflight, "Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in stranger
