"""Retired invented rows go for good, nothing else does, and whatever is still referred to stays."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from django.apps import apps
from django.contrib.gis.geos import Point
from django.core.management import call_command
from django.utils import timezone

from geo.addresses.models import Address, Community
from geo.imports.models import Source
from geo.regions.models import Edition, Population, Region, RegionPart, RegionVersion
from geo.roads.models import Closure, RoadSegment
from services.catchments.models import CatchmentEdition
from services.facilities.models import Facility, StatusChange
from tests.geo.imports.test_city_files import files, run  # noqa: F401 (a fixture)
from tests.geo.imports.worlds import bring, place, places

NOW = timezone.now
EVENTS = apps.get_model("facilities", "FacilityEvent")
SOURCED = [
    model
    for model in apps.get_models()
    if hasattr(model, "retired_at")
    and any(field.name == "source" and field.related_model is Source for field in model._meta.get_fields())
    and not hasattr(model, "pgh_tracked_model")
]


def purge(*args: str) -> str:
    out = io.StringIO()
    call_command("purge_retired", *args, stdout=out)
    return out.getvalue()


def rows() -> Counter[tuple[str, str, bool]]:
    """How many rows each table holds, by provenance and whether they are current."""
    found = Counter()
    for model in SOURCED:
        for provenance, retired in model.objects.values_list("source__provenance", "retired_at"):
            found[model.__name__, provenance, retired is None] += 1
    return found


def test_after_a_real_city_everything_invented_goes_and_everything_real_stays(city, files, capsys):  # noqa: F811
    assert CatchmentEdition.objects.filter(invented=True).exists()
    run(capsys, files, "--commit")
    assert not CatchmentEdition.objects.filter(invented=True).exists(), "no parent is led to an invented kindergarten"
    before, versions = rows(), RegionVersion.objects.filter(edition__source__provenance="invented").count()
    dead = Counter({key: count for key, count in before.items() if key[1] == "invented"})
    assert all(not current for _, _, current in dead)
    real = before - dead
    regions_now = set(Region.objects.filter(versions__edition__state="published").values_list("pk", flat=True))

    said = purge()
    assert rows() == before
    assert "尚未删除" in said
    assert f"共 {dead.total() + versions} 行" in said

    said = purge("--commit")
    assert rows() == real
    assert f"共删除 {dead.total() + versions} 行" in said
    assert f"服务设施：删除 {dead['Facility', 'invented', False]} 行" in said
    assert not Edition.objects.filter(source__provenance="invented").exists()
    assert not RegionPart.objects.exclude(version__edition__source__provenance="real").exists()
    assert set(Region.objects.values_list("pk", flat=True)) == regions_now
    kept = Facility.objects.values("pk")
    assert not EVENTS.objects.exclude(pgh_obj_id__in=kept).exists()
    assert not StatusChange.objects.exclude(facility__in=kept).exists()
    assert "没有可以清除" in purge("--commit")


def test_what_is_current_or_real_is_never_purged(db, tmp_path):
    bring(tmp_path, places(6), key="pretend", provenance="invented")
    Facility.objects.filter(ext_id="p1").update(retired_at=NOW())
    bring(tmp_path, [place(n, lon=121.6) for n in range(50, 54)], key="mine", provenance="real")
    Source.objects.filter(key="pretend").update(retired_at=None)
    Facility.objects.filter(source__key="pretend").exclude(ext_id="p1").update(retired_at=None)
    Facility.objects.filter(source__key="mine", ext_id="p50").update(retired_at=NOW())
    purge("--commit")
    assert set(Facility.objects.values_list("ext_id", flat=True)) == {f"p{n}" for n in (0, 2, 3, 4, 5, 50, 51, 52, 53)}


@pytest.fixture
def doors(city):
    """Retire every invented address and community, and the roads."""
    for model in (Address, Community, RoadSegment, Population):
        model.objects.update(retired_at=NOW())


def test_rows_that_something_refers_to_stay_and_are_counted(doors):
    held = Address.objects.filter(community__isnull=False)[:2]
    door, other = held
    Facility.objects.filter(pk=Facility.objects.first().pk).update(address=door)
    said = purge("--commit")
    assert list(Address.objects.all()) == [door]
    assert list(Community.objects.all()) == [door.community]
    assert "门牌地址：删除" in said
    assert said.count("另有 1 行仍被引用，保留") == 2
    assert not Population.objects.exists()
    assert other != door
    assert Facility.objects.exists()


def test_what_belongs_to_a_purged_row_goes_with_it(doors):
    road = RoadSegment.objects.first()
    Closure.objects.create(segment=road, from_time=NOW(), reason="x", actor="x")
    home = Facility.objects.first()
    StatusChange.objects.create(facility=home, status="closed", effective_on="2026-01-01", actor="x")
    home.geom = Point(121.5, 31.2, srid=home.geom.srid)
    home.save()
    assert EVENTS.objects.filter(pgh_obj_id=home.pk).exists()
    Facility.objects.filter(pk=home.pk).update(retired_at=NOW())
    said = purge("--commit")
    assert not RoadSegment.objects.exists()
    assert not Closure.objects.exists()
    assert not StatusChange.objects.filter(facility_id=home.pk).exists()
    assert not EVENTS.objects.filter(pgh_obj_id=home.pk).exists()
    assert "服务设施：删除 1 行，连同所属记录" in said
    assert Facility.objects.exists()
