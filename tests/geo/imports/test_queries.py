"""What is said of the published sources as a whole."""

from __future__ import annotations

import datetime

import pytest

from geo.imports.models import Family, Provenance, Source
from geo.imports.queries import attribution

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def publish(key: str, said: str, **more: object) -> None:
    Source.objects.create(
        key=key, title=key, family=Family.ROADS, provenance=Provenance.REAL, attribution=said, published_at=NOON, **more
    )


@pytest.mark.django_db
def test_everyone_who_must_be_named_is_named_once() -> None:
    assert attribution() == ""
    publish("a", "© OpenStreetMap contributors")
    publish("b", "© OpenStreetMap contributors；Alibaba DataV")
    publish("c", "")
    publish("gone", "某图商", retired_at=NOON)
    assert attribution() == "© OpenStreetMap contributors；Alibaba DataV"
