"""Fences as layers: public ones for everyone, the others for who may see them there, and only what counts now."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from geo.errors import NotFound
from geo.scope import Scope
from layers.reading import read_page
from layers.registry import layer
from layers.tiling import layer_edition
from tests.services.fencing.sets import HUANGPU, STAFF, draft, drawn, published, square

pytestmark = pytest.mark.usefixtures("city")
NEIGHBOUR = Scope(paths=("310000.310115.",), duties=frozenset({"fences.view"}))


def names(key: str, scope: Scope) -> list[str]:
    return [row.properties["name"] for row in read_page(layer(key, scope=scope), scope=scope, limit=100).rows]


def test_a_layer_shows_the_fences_of_its_purposes_that_count_now() -> None:
    service, alert = draft("service"), draft("alert")
    drawn(service, "上门范围", square(0, 0))
    drawn(alert, "告警一", square(50, 50))
    published(service)
    published(alert)
    assert names("fences", Scope.public()) == ["上门范围"]
    assert names("staff_fences", STAFF) == ["告警一"]
    with pytest.raises(NotFound):
        layer("staff_fences")
    assert names("staff_fences", NEIGHBOUR) == []
    own = Scope(paths=(f"310000.{HUANGPU}.",), duties=frozenset({"fences.view"}))
    assert names("staff_fences", own) == ["告警一"]


def test_an_edition_of_tomorrow_is_not_drawn_today_and_a_new_one_makes_old_tiles_stale() -> None:
    first = draft("service")
    drawn(first, "今天的", square(0, 0))
    published(first)
    before = layer_edition(layer("fences"))
    second = draft("service")
    drawn(second, "明天的", square(200, 0))
    published(second, timezone.now() + dt.timedelta(days=1))
    assert names("fences", Scope.public()) == ["今天的"]
    assert layer_edition(layer("fences")) == before
    third = draft("service")
    drawn(third, "此刻的", square(0, 200))
    published(third)
    assert "此刻的" in names("fences", Scope.public())
    assert layer_edition(layer("fences")) != before
