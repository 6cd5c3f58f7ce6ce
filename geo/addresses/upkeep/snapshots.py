"""What an address says at a moment: kept before and after every act, compared for people, and put back when an act is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.contrib.gis.geos import Point
from django.utils import timezone

from geo.addresses.columns import PARTS
from geo.addresses.models import Address, PointSource
from geo.crs.codes import CGCS2000
from geo.grids import cell_at
from geo.regions.queries import assign_regions, published_name

Said = dict[str, Any]
NAMES: Final[Mapping[str, str]] = {
    "text": "地址",
    "road": "路名",
    "lane": "弄",
    "sub_lane": "支弄",
    "number": "门牌号",
    "suffix": "附号",
    "building": "幢",
    "unit": "单元",
    "floor": "层",
    "room": "室",
    "position": "位置",
    "point_source": "位置来源",
    "uncertainty_m": "误差半径",
    "region": "所属区划",
    "community": "所属小区",
    "retired": "状态",
}
"""What people call each entry, in the order they are shown."""


class Difference(NamedTuple):
    """One entry that an act changed, in words."""

    name: str
    before: str
    after: str


def said(address: Address) -> Said:
    """Return what an address says, as plain data."""
    region = Address.objects.filter(pk=address.pk).values_list(published_name(), flat=True).first()
    return {
        **{name: getattr(address, name) for name in PARTS},
        "text": address.text,
        "normal": address.normal,
        "position": [address.geom.x, address.geom.y],
        "point_source": str(address.point_source),
        "uncertainty_m": address.uncertainty_m,
        "region_id": address.region_id,
        "region": region or "",
        "community_id": address.community_id,
        "community": address.community.name if address.community else "",
        "retired": address.retired_at is not None,
    }


def written(address: Address) -> dict[str, str]:
    """Return how an address is written: its parts, text and normal form, as a source's row holds them."""
    parts = {name: getattr(address, name) for name in PARTS if getattr(address, name)}
    return {**parts, "text": address.text, "normal": address.normal}


def place(address: Address, lon: float, lat: float) -> None:
    """Put an address at a point (CGCS2000 degrees) with the region and the cell that follow: the one place that does."""
    region = int(assign_regions([lon], [lat])[0])
    address.geom = Point(lon, lat, srid=CGCS2000)
    address.region_id = region or None
    address.cell = cell_at(lon, lat)


def put_back(address: Address, before: Said | None) -> None:
    """Write what an address said into its row and save it; ``None`` means that it was not there."""
    if before is None:
        address.retired_at = timezone.now()
    else:
        for name in (*PARTS, "text", "normal", "point_source", "uncertainty_m", "community_id"):
            setattr(address, name, before[name])
        place(address, *before["position"])
        address.retired_at = address.retired_at or timezone.now() if before["retired"] else None
    address.save()


def same(one: Said | None, other: Said | None) -> bool:
    """Say whether two states of an address are the same in everything that people or sources write."""
    if one is None or other is None:
        return (one is None or one["retired"]) and (other is None or other["retired"])
    follows = {"region", "region_id", "community", "version"}
    return {k: v for k, v in one.items() if k not in follows} == {k: v for k, v in other.items() if k not in follows}


def differences(before: Said | None, after: Said | None) -> list[Difference]:
    """Return what differs between two states of one address, in words for people."""
    if before is None or after is None:
        return [Difference("状态", *("在用" if one and not one["retired"] else "不存在" for one in (before, after)))]
    return [
        Difference(label, _shown(name, before.get(name)), _shown(name, after.get(name)))
        for name, label in NAMES.items()
        if before.get(name) != after.get(name)
    ]


def _shown(name: str, value: Any) -> str:
    if name == "position":
        return f"{value[0]:.6f}, {value[1]:.6f}"
    if name == "uncertainty_m":
        return f"{value:g} 米"
    if name == "retired":
        return "停用" if value else "在用"
    if name == "point_source":
        return str(PointSource(value).label)
    return str(value or "（空）")
