"""The map app a family is offered first: set for the whole city by those who may, remembered with who and when."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from geo.errors import BadInput, Forbidden
from geo.scope import Scope
from services.access.models import User
from services.facilities.actions import choose_navigation_app
from services.facilities.models import CitySettings
from services.facilities.navigation import first_navigation_app, navigation_choices

pytestmark = pytest.mark.django_db
PUBLIC = Scope.public()
CITY = Scope(paths=("310000.",), duties=frozenset({"settings.write"}), actor="shi")
DISTRICT = Scope(paths=("310000.310101.",), duties=frozenset({"settings.write"}), actor="qu")
CITY_WITHOUT_DUTY = Scope(paths=("310000.",), duties=frozenset({"facilities.edit"}), actor="guihua")


def test_what_is_set_counts_at_once_and_the_environment_before(settings: Any) -> None:
    assert first_navigation_app(scope=PUBLIC) == "amap_web"
    settings.NAVIGATION_APP = "tencent_web"
    assert first_navigation_app(scope=PUBLIC) == "tencent_web"
    assert navigation_choices(scope=CITY) == []
    choose_navigation_app(app="baidu_web", scope=CITY)
    assert first_navigation_app(scope=PUBLIC) == "baidu_web"
    settings.CITY = "shengzhou"
    assert first_navigation_app(scope=PUBLIC) == "tencent_web"


@pytest.mark.parametrize("configured", ["", "no_such_app"])
def test_an_app_nobody_knows_is_passed_over(settings: Any, configured: str) -> None:
    settings.NAVIGATION_APP = configured
    assert first_navigation_app(scope=PUBLIC) == "amap_web"


def test_every_change_is_kept_with_who_and_when() -> None:
    for app, scope in (("baidu_web", CITY), ("baidu_web", Scope.system("again")), ("apple", Scope.system("test"))):
        choose_navigation_app(app=app, scope=scope)
    choices = navigation_choices(scope=CITY)
    assert [(choice.app, choice.name, choice.by) for choice in choices] == [
        ("apple", "苹果地图", "system"),
        ("baidu_web", "百度地图", "shi"),
    ]
    assert choices[0].at > choices[1].at
    events = CitySettings.objects.get().events.order_by("pgh_id")
    assert [(one.navigation_app, one.pgh_context.metadata["actor"]) for one in events] == [
        ("amap_web", "shi"), ("baidu_web", "system"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "code"), [(PUBLIC, "duty_missing"), (CITY_WITHOUT_DUTY, "duty_missing"), (DISTRICT, "city_required")]
)
def test_only_those_who_may_set_it_for_the_whole_city(scope: Scope, code: str) -> None:
    for act in (
        lambda: choose_navigation_app(app="baidu_web", scope=scope),
        lambda: navigation_choices(scope=scope),
    ):
        with pytest.raises(Forbidden) as refusal:
            act()
        assert refusal.value.code == code
    assert not CitySettings.objects.exists()


def test_an_unknown_app_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput) as refusal:
        choose_navigation_app(app="javascript:alert(1)", scope=CITY)
    assert refusal.value.code == "app_unknown"
    assert "百度地图" in refusal.value.message
    assert not CitySettings.objects.exists()


def test_the_page_asks_to_sign_in_and_a_strange_form_is_a_sentence(client: Client) -> None:
    answer = client.get("/desk/settings")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/desk/settings")
    client.force_login(User.objects.create_user("nobody", password="a-good-long-one"))
    for refused in (client.get("/desk/settings"), client.post("/desk/settings", {"navigation_app": "apple"})):
        assert refused.status_code == 403
        assert "您的账号没有这项权限" in refused.content.decode()
