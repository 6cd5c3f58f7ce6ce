"""The topic query: points, advisers and work joined with the figures of elders that the city's library gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from geo.regions.queries import path_of
from geo.scope import Scope
from services.facilities.models import Facility
from services.integrations.elder_library.schemas import Figure
from services.integrations.elder_library.simulator import Simulator
from services.modules.advisers.elders import pull_figures
from services.modules.advisers.models import ElderFigures, LibraryPull, SitePicture, StaffingAlert, WorkRecord
from services.modules.advisers.tasks import judge_every_site, pull_elders
from tests.services.modules.advisers.conftest import World, client_of, code_of

DAY = dt.date(2026, 9, 1)


@pytest.fixture
def running(settings: Any) -> Iterator[Simulator]:
    cache.clear()
    figures = [
        Figure(region_code=code_of("外滩街道"), over_60=12_000, over_80=2_500, alone=800),
        Figure(region_code=code_of("南京东路街道"), over_60=7_000, over_80=900, alone=300),
        Figure(region_code="399999999", over_60=1, over_80=0, alone=0),
    ]
    with Simulator(app="quantu", secret="s3cret", figures=figures, as_of=DAY) as simulator:
        settings.ELDERS_URL, settings.ELDERS_APP, settings.ELDERS_SECRET = simulator.url, "quantu", "s3cret"
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator


def record(world: World, adviser: Any, days_ago: int, **more: Any) -> WorkRecord:
    given: dict[str, Any] = {
        "number": f"GZ-{WorkRecord.objects.count()}", "adviser": adviser, "site": adviser.site,
        "region_id": adviser.site.region_id, "on": timezone.localdate() - dt.timedelta(days=days_ago), "way": "here",
        "topic": "policy", "age_band": "70s", "minutes": 20, "summary": "咨询", "result": "answered", "made_by": "jz-wang",
    }  # fmt: skip
    return WorkRecord.objects.create(**(given | more))


def test_a_pull_takes_a_whole_day_over_and_a_bad_answer_leaves_the_last_good_one(
    world: World, running: Simulator
) -> None:
    assert pull_elders() == "taken"
    taken = LibraryPull.objects.get()
    assert (taken.as_of, taken.regions, taken.strange) == (DAY, 2, 1)
    before = list(ElderFigures.objects.order_by("region").values_list("region", "over_60", "as_of"))
    assert len(before) == 2
    for fails in ("half", "garbage", "broken"):
        running.fails = fails  # type: ignore[assignment]
        running.figures *= 300 if fails == "half" else 1
        assert pull_figures().state == "refused"
    running.fails, running.figures, running.as_of = "", running.figures[:2], DAY - dt.timedelta(days=1)
    assert "早于现有" in pull_figures().fault
    assert list(ElderFigures.objects.order_by("region").values_list("region", "over_60", "as_of")) == before
    running.as_of, running.figures = DAY + dt.timedelta(days=30), running.figures[:1]
    assert pull_figures().state == "taken"
    assert list(ElderFigures.objects.values_list("as_of", flat=True)) == [DAY + dt.timedelta(days=30)]
    page = client_of(world.city).get("/desk/ledgers/adviser-library").content.decode()
    assert page.count("未采用") >= 4
    assert "早于现有" in page
    assert client_of(world.district).get("/desk/ledgers/adviser-library").status_code == 403


def test_nothing_is_asked_where_no_library_is_connected(world: World, settings: Any) -> None:
    settings.ELDERS_URL = ""
    assert (pull_elders(), judge_every_site(), LibraryPull.objects.count()) == ("", 0, 0)


def by_hand(site: Facility) -> dict[str, Any]:
    """Return what the picture of a point must say, counted row by row."""
    today = timezone.localdate()
    work = [each for each in WorkRecord.objects.filter(site=site, state="valid") if (today - each.on).days < 365]
    street = path_of(site.region_id or 0, scope=Scope.public())[2]
    elders = ElderFigures.objects.filter(region=street.region_id).first()
    near = [other for other in Facility.objects.filter(kind="adviser_site", retired_at=None)
            if path_of(other.region_id or 0, scope=Scope.public())[2].code == street.code]  # fmt: skip
    there = sum(other.advisers.filter(post="in_post").count() for other in near)
    return {
        "advisers": site.advisers.filter(post="in_post").count(),
        "full_time": site.advisers.filter(post="in_post", engaged="full").count(),
        "short": StaffingAlert.objects.filter(site=site, state="open").exists(),
        "records_year": len(work),
        "records_month": sum((today - each.on).days < 30 for each in work),
        "minutes_year": sum(each.minutes for each in work),
        "last_on": max((each.on for each in work), default=None),
        "elders_60": elders.over_60 if elders else None,
        "each_serves": elders.over_60 // there if elders and there else None,
    }


@pytest.mark.covers("ELD-BIZ-26", via="services.modules.advisers.elders:pull_figures")
def test_the_topic_is_asked_by_conditions_kept_exported_and_seen_on_the_map(world: World, running: Simulator) -> None:
    first = world.site
    second = world.site_of("南京东路街道")
    for adviser in (world.adviser("周明"), world.adviser("陈静", engaged="part"), world.adviser("吴霞", post="left")):
        record(world, adviser, 3)
        record(world, adviser, 100, minutes=45)
        record(world, adviser, 10, state="cancelled")
        record(world, adviser, 400)
    assert pull_figures().state == "taken"
    for site in (first, second):
        picture = SitePicture.objects.get(site=site)
        wanted = by_hand(site)
        assert {key: getattr(picture, key) for key in wanted} == wanted
    client = client_of(world.district)
    at = "/desk/ledgers/adviser-topic"
    # business data and figures of the library narrow together, by whatever conditions
    many = "f.elders_60.from=10000&f.records_year.from=1&f.advisers.to=2&sort=-elders_80"
    page = client.get(f"{at}?{many}").content.decode()
    assert first.name in page
    assert second.name not in page
    assert "12,000" in page
    assert "6,000" in page, "elders for each of two advisers"
    assert DAY.isoformat() in page
    both = client.get(f"{at}?f.advisers.from=0&sort=-elders_60").content.decode()
    assert both.index(first.name) < both.index(second.name)
    assert both.index(first.name) > client.get(f"{at}?sort=elders_60").content.decode().index(second.name)
    few = client.get(f"{at}?f.site__name={second.name[:4]}&region={code_of('南京东路街道')}").content.decode()
    assert second.name in few
    assert first.name not in few
    assert client.get(f"{at}?f.short=1").content.decode().count('class="row-link"') == 0
    # the conditions are kept under a name and come back
    client.post(f"{at}/views", {"name": "老人多顾问少", "query": many})
    assert "老人多顾问少" in client.get("/desk").content.decode()
    taken = b"".join(client.get(f"{at}/export?{many}&format=csv").streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    assert first.name in taken
    assert second.name not in taken
    pins = client.get(f"{at}/pins.json?bbox=120,30,123,33&{many}").json()["features"]
    assert [pin["properties"]["name"] for pin in pins] == [first.name]
    assert client.get(f"{at}/{first.pk}").status_code == 200
    # another district sees none of it
    assert first.name not in client_of(world.other).get(at).content.decode()
