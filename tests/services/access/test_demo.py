"""Demo accounts work beside invented data only; real accounts are made by a command."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from geo.errors import Conflict
from geo.imports.models import Source
from geo.imports.report import RunReport
from services.access.actions import create_api_key, declare_roles, grant_role
from services.access.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, make_demo_accounts, settle_demo_accounts
from services.access.models import ApiKey, AuditAct, AuditEntry, Grant, User
from services.access.signin.actions import propose_second_step
from services.access.signin.onetime import STEP_S, code_at
from tests.geo.imports.worlds import bring, places

NAMES = [account.username for account in DEMO_ACCOUNTS]


@pytest.fixture
def last_invented(city: None) -> None:
    """The tiny city with its demo accounts, of which only the facilities are still invented."""
    make_demo_accounts()
    Source.objects.exclude(family="facilities").update(retired_at=timezone.now())


def sign_in(name: str) -> Client:
    client = Client()
    answer = client.post("/sign-in", {"username": name, "password": DEMO_PASSWORD})
    client.signed_in = answer.status_code == 302  # type: ignore[attr-defined]
    return client


def told_of_accounts(report: RunReport) -> list[str]:
    """The notices of an import that are about the demo accounts."""
    return [line for line in report.notices if "演示账号" in line]


def test_the_import_that_takes_the_last_invented_row_stops_the_demo_accounts(
    last_invented: None, tmp_path: Path
) -> None:
    signed_in = {name: sign_in(name) for name in NAMES}
    assert all(client.signed_in for client in signed_in.values())  # type: ignore[attr-defined]
    key, token = create_api_key(user=User.objects.get(username="shi"), name="试用")
    report = bring(tmp_path, places(3), key="real")

    assert [line for line in told_of_accounts(report) if "演示账号已全部停用" in line and "staff_account" in line]
    assert not any(sign_in(name).signed_in for name in NAMES)  # type: ignore[attr-defined]
    assert all(client.get("/account").status_code == 302 for client in signed_in.values())
    key.refresh_from_db()
    assert key.revoked_at
    assert Client().get("/api/v1/places", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    stopped = AuditEntry.objects.filter(act=AuditAct.ACCOUNT_DISABLED).values_list("detail__account", flat=True)
    assert set(stopped) == set(NAMES)
    with pytest.raises(Conflict):
        make_demo_accounts()


def test_a_rehearsal_says_so_and_stops_nobody(last_invented: None, tmp_path: Path) -> None:
    report = bring(tmp_path, places(3), key="real", commit=False)
    assert len(told_of_accounts(report)) == 1
    assert all(sign_in(name).signed_in for name in NAMES)  # type: ignore[attr-defined]


def test_accounts_stay_while_anything_invented_is_published(city: None, tmp_path: Path) -> None:
    make_demo_accounts()
    assert told_of_accounts(bring(tmp_path, places(3), key="real")) == []
    assert sign_in("shi").signed_in  # type: ignore[attr-defined]


def test_a_new_invented_city_lets_them_work_again_but_no_old_session_or_key(
    last_invented: None, tmp_path: Path
) -> None:
    before = sign_in("shi")
    create_api_key(user=User.objects.get(username="shi"), name="试用")
    bring(tmp_path, places(3), key="real")
    Source.objects.filter(key="real").update(retired_at=timezone.now())
    report = bring(tmp_path, places(3), key="pretend", provenance="invented")
    assert report.notices
    assert sign_in("shi").signed_in  # type: ignore[attr-defined]
    assert before.get("/account").status_code == 302
    assert not ApiKey.objects.filter(revoked_at=None).exists()


def test_an_account_that_only_bears_the_name_is_left_alone(city: None) -> None:
    declare_roles()
    User.objects.create_user("shi", password="somebody-elses-own")
    make_demo_accounts()
    assert not Grant.objects.filter(user__username="shi").exists()
    Source.objects.update(retired_at=timezone.now())
    settle_demo_accounts()
    assert list(User.objects.filter(is_active=True).values_list("username", flat=True)) == ["shi"]


def test_the_sign_in_page_shows_them_only_while_they_work(last_invented: None, tmp_path: Path) -> None:
    shown = Client().get("/sign-in").content.decode()
    assert all(f"<code>{name}</code>" in shown for name in NAMES)
    assert DEMO_PASSWORD in shown
    bring(tmp_path, places(3), key="real")
    shown = Client().get("/sign-in").content.decode()
    assert DEMO_PASSWORD not in shown
    assert "演示账号" not in shown


# Real accounts


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def run(*args: str, password: str = "ten-letters-at-least") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        out = io.StringIO()
        call_command("staff_account", *args, stdout=out)
        return out.getvalue()

    return run


def test_the_command_makes_an_account_that_can_sign_in_and_holds_the_role(city: None, run: Any) -> None:
    assert "市级管理员，上海市" in run("wang", "--role", "city_manager", "--name", "王")
    client = Client()
    entered = client.post("/sign-in", {"username": "wang", "password": "ten-letters-at-least"})
    assert entered["Location"] == "/sign-in/set-up"  # the role asks for a second step
    secret = propose_second_step(user=User.objects.get(username="wang"))
    client.post("/sign-in/set-up", {"code": code_at(secret, int(time.time()) // STEP_S)})
    assert "市级管理员" in client.get("/account").content.decode()
    acts = AuditEntry.objects.filter(detail__account="wang").order_by("id").values_list("act", flat=True)
    assert list(acts) == [AuditAct.ACCOUNT_CREATED, AuditAct.ROLE_GRANTED]


def test_a_known_account_gets_another_role_once_and_keeps_its_password(city: None, run: Any) -> None:
    run("wang", "--role", "district_manager", "--region", "310110", "--until", "2099-12-31")
    hashed = User.objects.get(username="wang").password
    for _ in range(2):
        assert "已加授角色" in run("wang", "--role", "planner", password="")
    assert User.objects.get(username="wang").password == hashed
    assert set(Grant.objects.filter(user__username="wang").values_list("role_id", "region__versions__code")) == {
        ("district_manager", "310110"),
        ("planner", "310000"),
    }


@pytest.mark.parametrize(
    ("args", "password"),
    [(("wang",), "short"), (("wang",), "password123"), (("wang wang",), "ten-letters-at-least"),
     (("wang", "--region", "999999"), "ten-letters-at-least")],
)  # fmt: skip
def test_what_cannot_be_an_account_is_refused(city: None, run: Any, args: tuple[str, ...], password: str) -> None:
    with pytest.raises(CommandError):
        run(*args, "--role", "planner", password=password)
    assert not User.objects.exists()


def test_a_role_needs_its_region(db: None, run: Any) -> None:
    with pytest.raises(CommandError, match="没有发布"):
        run("wang", "--role", "planner")


def test_a_stopped_account_gets_no_role(city: None, run: Any) -> None:
    declare_roles()
    grant_role(user=User.objects.create_user("old", is_active=False), role="planner", granted_by="x", person_id=1)
    with pytest.raises(CommandError, match="已停用"):
        run("old", "--role", "city_manager")


def test_demo_accounts_need_no_second_step(city: None) -> None:
    make_demo_accounts()
    answer = Client().post("/sign-in", {"username": "shi", "password": DEMO_PASSWORD})
    assert answer["Location"] == "/account"
