"""Public facts of supervision: asked for by the code of the institution, shown with their day, kept while nothing comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from services.access.models import Organisation
from services.facilities.models import Facility
from services.facilities.supervision import actions
from services.facilities.supervision.actions import pull_facts, pull_if_connected
from services.facilities.supervision.models import SupervisionFacts, SupervisionPull
from services.integrations.supervision.schemas import Facts, Finding
from services.integrations.supervision.simulator import Simulator

CODE, OTHER = "52310101MJ4910001A", "52310101MJ4910002B"
FACTS = Facts(
    credit_code=CODE, as_of=dt.date(2026, 11, 1), inspected_on=dt.date(2026, 10, 8), finding=Finding.MEND, grade="三级",
    credit="A",
)  # fmt: skip


@pytest.fixture
def homes(city: None) -> tuple[Facility, Facility]:
    """Return two care homes of two institutions, of which the platform knows the first."""
    cache.clear()
    found = list(Facility.objects.filter(kind="care_home", status="open", retired_at=None).order_by("pk")[:2])
    for row, name, code in zip(found, ("银杏树", "梧桐"), (CODE, OTHER), strict=True):
        row.organisation = Organisation.objects.create(name=name, region=row.region, credit_code=code)
        row.save()
    return found[0], found[1]


@pytest.fixture
def platform(settings: Any, homes: Any) -> Iterator[Simulator]:
    with Simulator(app="quantu", secret="s3cret", facts=[FACTS]) as one:
        settings.SUPERVISION_URL, settings.SUPERVISION_APP, settings.SUPERVISION_SECRET = one.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield one


def page(place: Facility, *, elder: bool = False) -> str:
    client = Client(headers={"host": "localhost"})
    if elder:
        client.cookies["elder"] = "1"
    return str(client.get(f"/places/{place.pk}").content.decode())


@pytest.mark.parametrize("elder", [False, True])
def test_facts_are_shown_with_their_day_and_source(platform: Simulator, homes: Any, elder: bool) -> None:
    assert "还没有取到" not in page(homes[0], elder=elder)  # nobody was asked yet, so nothing is promised
    assert pull_if_connected() == "taken"
    shown = page(homes[0], elder=elder)
    words = ("监管公示", "2026年10月8日，要求整改", "三级", "截至 2026年11月1日", "来源：上海市“互联网+监管”平台")
    assert [each for each in words if each not in shown] == []
    assert "连不上" not in shown
    assert "还没有这家机构的公示" in page(homes[1], elder=elder)
    pull = SupervisionPull.objects.get()
    assert (pull.asked, pull.known, pull.fault) == (2, 1, "")


def test_what_is_not_reached_says_so_calmly_and_keeps_the_last_answer(platform: Simulator, homes: Any) -> None:
    platform.fails = "broken"
    assert pull_facts().state == "failed"
    assert "监管信息暂时取不到" in page(homes[0])
    platform.fails = ""
    cache.clear()
    pull_facts()
    SupervisionFacts.objects.update(fetched_at=timezone.now() - dt.timedelta(days=3))
    platform.fails = "garbage"
    failed = pull_facts()
    assert (failed.state, bool(failed.fault)) == ("failed", True)
    shown = page(homes[0])
    assert "监管平台暂时连不上" in shown
    assert "2026年10月8日，要求整改" in shown


def test_a_change_leaves_history_and_older_news_changes_nothing(platform: Simulator, homes: Any) -> None:
    pull_facts()
    platform.facts[CODE] = FACTS.model_copy(update={"as_of": dt.date(2026, 10, 1), "grade": "一级"})
    pull_facts()
    row = SupervisionFacts.objects.get(organisation=homes[0].organisation)
    assert (row.grade, row.events.count()) == ("三级", 0)
    platform.facts[CODE] = FACTS.model_copy(update={"as_of": dt.date(2026, 11, 20), "finding": Finding.GOOD})
    pull_facts()
    row.refresh_from_db()
    assert (row.finding, row.events.get().finding) == ("good", "mend")
    platform.facts.clear()
    pull_facts()
    assert "还没有这家机构的公示" in page(homes[0])


def test_each_hundred_stands_for_itself(platform: Simulator, homes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 1)
    pull_facts()
    SupervisionFacts.objects.update(fetched_at=timezone.now() - dt.timedelta(hours=6))
    platform.fails = "stranger"  # only of whom they know something
    pull = pull_facts()
    assert (pull.state, pull.asked, pull.known) == ("partly", 2, 0)
    assert "三级" in page(homes[0])
    assert "监管平台暂时连不上" in page(homes[0])
    assert "监管平台暂时连不上" not in page(homes[1])


def test_without_a_platform_or_a_number_there_is_nothing_to_show(
    platform: Simulator, homes: Any, settings: Any
) -> None:
    for code in ("", "lower-case-is-odd1"):
        Organisation.objects.filter(pk=homes[0].organisation_id).update(credit_code=code)
        assert "还没有登记有效的统一社会信用代码" in page(homes[0])
    assert pull_facts().asked == 1  # an odd code keeps nobody else from being asked for
    nursery = Facility.objects.filter(kind="nursery", retired_at=None).first()
    assert nursery
    assert "监管公示" not in page(nursery)
    settings.SUPERVISION_URL = ""
    assert pull_if_connected() == ""
    assert "监管公示" not in page(homes[0])
