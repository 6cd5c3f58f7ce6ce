"""A city in which every layer has features: what the invented city lacks is entered the way staff enter it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import uuid4

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from geo.addresses.models import Community
from geo.basemap.models import BasemapFeature
from geo.grids.cells import cell_at
from geo.regions.models import RegionVersion
from geo.roads.models import RoadSegment
from geo.scope import Scope
from layers.datasets.actions import publish
from layers.datasets.attributes import DatasetAttribute
from layers.datasets.editing import add_feature
from services.facilities.models import Facility
from services.facilities.upkeep.actions import add_facility
from services.modules.example.models import ServicePoint
from services.modules.islands.words import HOME, LAYERS
from tests.layers.datasets import making
from tests.services.fencing import sets

EACH: Final = 8
"""So many features a layer gets that had none: one more than a page of seven."""
MOST: Final = 15
"""So many features of a large layer are left in a small city: two pages of seven and one more."""
ELSEWHERE: Final = "310110"
STAFF: Final = Scope(paths=("310000.",), duties=frozenset({"facilities.edit"}), actor="shi")
EVERY_KIND: Final = (
    DatasetAttribute("mingcheng", "名称", "text"),
    DatasetAttribute("zuowei", "座位", "whole"),
    DatasetAttribute("mianji", "面积", "number"),
    DatasetAttribute("lutian", "露天", "yes_no"),
    DatasetAttribute("anzhuang", "安装日期", "day"),
    DatasetAttribute("jiancha", "检查时间", "moment"),
)


def fill() -> None:
    """Enter places of the island, service points, fences in force, and a published dataset with every kind of attribute."""
    committees = list(
        RegionVersion.objects.filter(edition__state="published", level="committee", path__startswith=HOME)
    )
    for layer in LAYERS:
        for number in range(EACH):
            _enter_place(layer.kinds[number % len(layer.kinds)], f"{layer.title}{number}", committees[number])
    for number in range(EACH):
        label = committees[number].label
        ServicePoint.objects.create(
            case_number=f"FW{number}", name=f"服务点{number}", address_text="村口", registered_on=dt.date(2026, 1, 5),
            geom=label, region_id=committees[number].region_id, cell=cell_at(label.x, label.y),
        )  # fmt: skip
    _publish_fences()
    _publish_dataset()


def fill_for_staff() -> dict[str, str]:
    """Enter fences and a dataset for staff of 黄浦, and a dataset for those of another district; return the datasets by district."""
    alert = sets.draft("alert")
    for number in range(EACH):
        sets.drawn(alert, f"告警{number}", sets.square(number * 120, 0), owner="" if number % 2 else "一队")
    sets.published(alert)
    return {
        making.DISTRICT: _publish_dataset(title="待修长椅", audience="staff"),
        ELSEWHERE: _publish_dataset(title="待修路灯", audience="staff", region=ELSEWHERE, scope=making.ELSEWHERE),
    }


def thin_out() -> None:
    """Leave of every large layer a few features, of each class of road and of each level of region some."""
    now = timezone.now()
    ranked = RoadSegment.objects.annotate(
        rank=Window(RowNumber(), partition_by=F("highway"), order_by=[F("length_m").desc(), F("id")])
    )
    kept = ranked.filter(rank__lte=2).values_list("id", flat=True)
    RoadSegment.objects.exclude(id__in=list(kept)).update(retired_at=now)
    buildings = BasemapFeature.objects.filter(kind="building")
    on_the_island = [kind for layer in LAYERS for kind in layer.kinds]
    places = Facility.objects.exclude(kind__in=on_the_island)
    for rows in (buildings, Community.objects.all(), places):
        rows.exclude(id__in=list(rows.order_by("id").values_list("id", flat=True)[:MOST])).update(retired_at=now)
    regions = RegionVersion.objects.filter(edition__state="published")
    streets = regions.filter(level="street").order_by("id")[:MOST]
    villages = regions.filter(level="committee", path__startswith=HOME).order_by("id")[:MOST]
    for level, left in (("street", streets), ("committee", villages)):
        regions.filter(level=level).exclude(id__in=list(left.values_list("id", flat=True))).delete()


def _enter_place(kind: str, name: str, village: RegionVersion) -> None:
    values = {
        "kind_id": kind,
        "name": name,
        "address_text": f"{name}路口",
        "position": (village.label.x, village.label.y),
    }
    if kind == "guesthouse":
        values |= {"attributes.night_from_yuan": 320, "attributes.pets": True, "attributes.rooms": 6}
    add_facility(values=values, key=uuid4(), scope=STAFF, why="核对过")


def _publish_fences() -> None:
    service = sets.draft("service")
    for number in range(EACH):
        sets.drawn(service, f"范围{number}", sets.square(number * 120, 0), owner="" if number % 2 else "一队")
    sets.published(service)


def _publish_dataset(title: str = "长椅", scope: Scope = making.EDITOR, **about: Any) -> str:
    """Publish a dataset with every kind of attribute, and return its key."""
    dataset = making.made(title=title, attributes=EVERY_KIND, scope=scope, **{"audience": "everyone", **about})
    said = {  # the first has none of them: their kinds are told by the schema only
        "zuowei": "3000000000", "mianji": "1.5", "lutian": "是", "anzhuang": "2026-03-01", "jiancha": "2026-03-02 08:30",
    }  # fmt: skip
    for number in range(EACH):
        told = {"mingcheng": f"椅{number}", **(said if number % 2 else {})}
        add_feature(making.sent(dataset, scope), shape=making.point(number), said=told)
    publish(making.sent(dataset, scope), note="第一批")
    return dataset.key
