"""Keyword search over the eldercare facilities of the invented city, through the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pypinyin import Style, lazy_pinyin

from services.facilities.kinds import kinds_named
from services.facilities.models import Facility


def found(client: Client, **params: Any) -> set[int]:
    """Return the ids of all pages."""
    ids: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        body = client.get("/api/v1/places", {"limit": 200, "cursor": cursor, **params}).json()
        ids += [place["id"] for place in body["places"]]
        cursor = body["next"]
    assert len(ids) == len(set(ids))
    return set(ids)


@pytest.mark.covers("ELD-MAP-01b", via="services.facilities.queries:facilities_in")
@pytest.mark.usefixtures("city")
def test_a_keyword_finds_every_eldercare_facility_that_holds_it_and_no_other(client: Client) -> None:
    rows = list(
        Facility.objects.filter(kind__in=kinds_named("eldercare"), status="open", retired_at=None).order_by("id")
    )
    assert len(rows) >= 10
    for row in rows[::3]:
        for q in (
            row.name,
            row.name[1:5],
            "".join(lazy_pinyin(row.name, style=Style.FIRST_LETTER)),
            row.address_text[-8:],
        ):
            assert row.pk in found(client, kinds="eldercare", q=q), (row.name, q)
    for word in {row.name[-4:] for row in rows}:
        hits = found(client, kinds="eldercare", q=word)
        assert {row.pk for row in rows if word in row.name} <= hits
        # Every hit is eldercare and holds all the characters of the word in its name or address.
        for hit in Facility.objects.filter(pk__in=hits):
            assert hit.kind_id in kinds_named("eldercare")
            assert set(word) <= set(hit.name + hit.address_text)
    assert found(client, kinds="eldercare", q="绝无此名") == set()
    # Each result stands at its place on the map.
    place = client.get("/api/v1/places", {"kinds": "eldercare", "q": rows[0].name}).json()["places"][0]
    assert (place["lon"], place["lat"]) == (
        pytest.approx(rows[0].geom.x, abs=1e-7),
        pytest.approx(rows[0].geom.y, abs=1e-7),
    )
