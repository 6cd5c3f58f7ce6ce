"""What the journeys share: somewhere to start from in the tiny city, and short ways to look at a page."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import _copy, _drop, _use, forget_kept
from tests.reading import wait_for_maps

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


class Spot(NamedTuple):
    """A community of the tiny city: its name and its point in CGCS2000 degrees."""

    name: str
    lon: float
    lat: float

    def query(self, **extra: object) -> str:
        """Return the parameters of a question asked from here."""
        params = {"lon": f"{self.lon:.6f}", "lat": f"{self.lat:.6f}", "at": self.name, **extra}
        return "&".join(f"{key}={quote(str(value))}" for key, value in params.items())


@pytest.fixture(scope="module")
def live_city(_live_server: str, city_database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Return the URL of the live server over a copy of the tiny city that the tests of a module share: journeys mostly read."""
    name = city_database.removesuffix("_city") + "_live"
    with django_db_blocker.unblock():
        _copy(city_database, name)
        before = _use(name)
        forget_kept()
        yield _live_server
        connection.close()
        _use(before)
        with connection._nodb_cursor() as cursor:
            _drop(cursor, name)


def spot_where(holds: Callable[[Any], bool], **question: Any) -> tuple[Spot, Any]:
    """Return the first community, by name, from which the circle of a question holds what a test needs, and that circle."""
    from geo.addresses.models import Community
    from geo.crs import Coordinate, System
    from geo.imports.models import CURRENT
    from geo.scope import Scope
    from services.facilities.circle import circle

    for site in Community.objects.filter(CURRENT).order_by("name", "id"):
        origin = Coordinate(site.geom.x, site.geom.y, System.CGCS2000)
        found = circle(scope=Scope.public(), origin=origin, **question)
        unique = Community.objects.filter(CURRENT, name__contains=site.name).count() == 1
        if unique and holds(found):
            return Spot(site.name, site.geom.x, site.geom.y), found
    raise AssertionError("the tiny city has no such place: the test would prove nothing")


@pytest.fixture
def families(live_city: str) -> Spot:
    """Return a home with several nurseries in reach of a pram, one of them full-day with a vacancy reported three days ago."""
    from services.facilities.kinds import kinds_named
    from services.facilities.models import Facility

    def holds(found: Any) -> bool:
        return len(found.places) >= 3 and any(is_full_day(one.place) for one in found.places[1:])

    spot, found = spot_where(holds, minutes=15, mode="pram", kinds=kinds_named("childcare"))
    free = next(one.place.id for one in found.places[1:] if is_full_day(one.place))
    lately = timezone.now() - dt.timedelta(days=3)
    Facility.objects.filter(pk=free).update(vacancies=3, vacancies_as_of=lately, vacancies_source="institution")
    return spot


@pytest.fixture
def elders(live_city: str) -> Spot:
    """Return a home with several services for elders in reach."""
    from services.facilities.kinds import kinds_named

    return spot_where(lambda found: len(found.places) >= 3, minutes=15, mode="elder", kinds=kinds_named("eldercare"))[0]


def is_full_day(place: Any) -> bool:
    """Say whether a place takes children for the whole day."""
    return bool(place.attributes.get("service_form") == "full_day")


def full_day_and_free(place: Any) -> bool:
    """Say whether a place is full-day and has a vacancy that somebody confirmed lately."""
    return is_full_day(place) and place.vacancies.fresh and bool(place.vacancies.count)


def answer_of(page: Any) -> dict[str, Any]:
    """Return the answer embedded in the page."""
    return dict(json.loads(page.locator("#answer").text_content()))


def wait_for_map(page: Any) -> None:
    """Wait until the map has loaded its style and drawn the answer."""
    page.locator('#map[data-ready="true"]').wait_for(state="attached", timeout=60_000)


def wait_until_drawn(page: Any) -> None:
    """Wait until the map stands still with all its tiles."""
    wait_for_map(page)
    wait_for_maps(page)


def jump(page: Any, holder: str, at: Iterable[float], zoom: float) -> None:
    """Bring a point into the middle of a map and wait until the map has drawn it.

    Loaded tiles are not enough: until the next frame a click is held against the symbols of the frame before.
    """
    page.evaluate(
        "([holder, center, zoom]) => { document.querySelector(holder).quantu.jumpTo({center, zoom}); }",
        [holder, list(at), zoom],
    )
    wait_for_maps(page)


def without_script(page: Any) -> None:
    """Let a page load no script of ours: what is left is what a browser without script shows.

    A browser that has script switched off runs no timers either, and axe would wait for ever.
    """
    page.route(re.compile(r"\.m?js(\?|$)"), lambda route: route.abort())


SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().iterations !== Infinity).map((each) => each.finished))"""


def faults_of(page: Any) -> list[str]:
    """Return what axe finds on the page, one line for each element; the policy forbids added scripts, so axe is evaluated.

    Colours on their way to others are waited for: a transition is not what people read.
    """
    page.evaluate(SETTLED)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]
