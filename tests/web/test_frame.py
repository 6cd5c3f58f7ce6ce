"""The navigation of the desk: in groups, folded but the one the page belongs to, without anything nobody may open."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from services.access.demo import make_demo_accounts
from services.access.models import User
from web.doors.desk.frame import GROUPS

pytestmark = pytest.mark.usefixtures("city")


def groups_at(path: str, username: str = "shi") -> dict[str, tuple[bool, list[str]]]:
    """Return the groups of the side navigation of a page by title: whether they are open, and their labels."""
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
    answer: Any = client.get(path)
    assert answer.status_code == 200, path
    side = answer.content.decode().partition('class="desk-side"')[2].partition("</nav>")[0]
    found = re.findall(r'<details class="desk-group"( open)?><summary><h2>(.*?)</h2>(.*?)</details>', side, re.S)
    return {title: (bool(is_open), re.findall(r"</svg><span>(.*?)</span>", rest)) for is_open, title, rest in found}


def test_the_group_of_the_page_is_open_and_the_others_are_folded() -> None:
    shown = groups_at("/desk/sms")
    assert [title for title, (is_open, _) in shown.items() if is_open] == ["通知和短信"]
    assert list(shown)[:5] == [group.title for group in GROUPS]
    assert shown["系统"][1] == ["账号和权限", "接入平台", "业务日志", "密码安全", "渠道", "系统设置"]
    assert [title for title, (is_open, _) in groups_at("/desk").items() if is_open] == ["办理", "台账"]
    assert [title for title, (is_open, _) in groups_at("/desk/ledgers/facilities").items() if is_open] == ["台账"]


def test_a_page_of_no_group_opens_the_first_and_empty_groups_are_left_out() -> None:
    shown = groups_at("/desk/places/new?kind_id=nursery")
    assert [title for title, (is_open, _) in shown.items() if is_open] == ["办理"]
    assert "系统" not in groups_at("/desk", "jigou")


def test_what_waits_is_counted_on_the_folded_group(monkeypatch: pytest.MonkeyPatch) -> None:
    from web.doors.desk import frame

    waiting = [entry._replace(waiting=lambda scope: 3) for entry in GROUPS[1].entries[:2]]
    changed = (GROUPS[0], GROUPS[1]._replace(entries=tuple(waiting)), *GROUPS[2:])
    monkeypatch.setattr(frame, "GROUPS", changed)
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/desk/sms").content.decode()
    assert re.search(r"<h2>场所和地址</h2><span class=\"count\">6<", page)
