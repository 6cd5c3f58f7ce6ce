"""Where a place is put, held against all that is known: region, address, water, other places, and the usual slips of the pen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from django.db import connection

from geo.addresses.gazetteer import NamedRegion, Names, names_of, published_now
from geo.addresses.geocode import LONGEST, Candidate, geocode_many
from geo.addresses.lookups import metres_between
from geo.addresses.parsing import parse
from geo.addresses.placing import SHARP, single_place
from geo.basemap.queries import water_at
from geo.crs import Coordinates, System, convert
from geo.crs.axes import AxisVerdict, detect_axes, suggest_plane
from geo.crs.codes import CGCS2000
from geo.regions.models import Level
from geo.regions.queries import assign_regions, current_city
from geo.scope import Scope
from services.facilities.upkeep.findings import Finding

SITE_M: Final = 100.0
"""The point of a place may be anywhere on its site, the door of its address at the edge of it."""
TWIN_M: Final = 250.0
"""Two places of one kind and name this close together are one, as imports see it too."""
SHIFTED_M: Final = 200.0
"""A wrong datum moves a point of this city by more than this."""
_TWIN: Final = """
    SELECT f.id, f.address_text, ST_Distance(f.geom::geography, p.at) AS metres FROM facilities_facility f,
    (SELECT ST_SetSRID(ST_MakePoint(%s, %s), %s)::geography AS at) p
    WHERE f.kind_id = %s AND f.name = %s AND f.retired_at IS NULL AND f.id <> %s
    AND ST_DWithin(f.geom::geography, p.at, %s) ORDER BY metres, f.id LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Stated:
    """What somebody says of where a place is. ``lon`` and ``lat`` are CGCS2000 degrees, ``None`` where only the address is said.

    ``district`` and ``street`` are codes, '' where nothing was chosen; ``facility_id`` is the place itself, 0 for a new one.
    """

    lon: float | None = None
    lat: float | None = None
    address: str = ""
    district: str = ""
    street: str = ""
    kind: str = ""
    name: str = ""
    facility_id: int = 0


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a place will stand: its point, from where it comes, the regions that hold it, and what does not fit.

    ``door`` is where its address is, ``None`` where no single sharp place is known of it.
    """

    lon: float | None
    lat: float | None
    source: str
    uncertainty_m: float
    region_id: int | None
    district: NamedRegion | None
    street: NamedRegion | None
    door: Candidate | None
    findings: tuple[Finding, ...] = field(default_factory=tuple)


def look_at(stated: Stated, *, scope: Scope) -> Spot:
    """Return where a place will stand and everything that speaks against it; without a point it stands where its address is."""
    names = names_of(published_now())
    door = _door(stated, names, scope)
    if stated.lon is None or stated.lat is None:
        return _by_address(stated, door, names, scope)
    slip = _slip(stated.lon, stated.lat)
    if slip is not None:
        return Spot(stated.lon, stated.lat, "survey", 20.0, None, None, None, door, (slip,))
    return _at(stated, stated.lon, stated.lat, "survey", 10.0, door, names, scope)


def _by_address(stated: Stated, door: Candidate | None, names: Names, scope: Scope) -> Spot:
    if door is None:
        words = (
            "按地址没有找到确切的位置，请在地图上点出来，或填写经度和纬度。"
            if stated.address.strip()
            else "请填写地址，或在地图上点出位置。"
        )
        return Spot(None, None, "", 0.0, None, None, None, None, (Finding("lon", "no_position", words),))
    lon, lat = round(door.lon, 7), round(door.lat, 7)
    return _at(stated, lon, lat, str(SHARP[door.level]), float(round(door.uncertainty_m)), door, names, scope)


def _at(
    stated: Stated,
    lon: float,
    lat: float,
    source: str,
    uncertainty_m: float,
    door: Candidate | None,
    names: Names,
    scope: Scope,
) -> Spot:
    region = names.region(int(assign_regions([lon], [lat])[0]) or None)
    district = names.above(region, Level.DISTRICT) if region else None
    street = names.above(region, Level.STREET) if region else None
    findings = [
        *_ground(region, scope),
        *_chosen(stated, district, street, names),
        *_written(stated, district, street, names),
        *_apart(lon, lat, door, own=source == "survey"),
        *_water(lon, lat),
        *_twin(stated, lon, lat),
    ]
    return Spot(lon, lat, source, uncertainty_m, region.id if region else None, district, street, door, tuple(findings))


def _slip(lon: float, lat: float) -> Finding | None:
    """Return what was probably meant by numbers that are no point of the city."""
    box = current_city().bbox
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return Finding("lon", "not_a_number", "经度和纬度要填数字，例如 121.4737 和 31.2304。")
    if abs(lon) <= 180 and abs(lat) <= 180:
        found = detect_axes(Coordinates(np.array([lon]), np.array([lat]), System.CGCS2000), box)
        if found.verdict is AxisVerdict.SWAPPED:
            return Finding("lon", "axes_swapped", f"经度和纬度写反了，应为经度 {lat:g}、纬度 {lon:g}。")
        inside = bool(box.holds(np.array([lon]), np.array([lat]))[0])
        if not inside:
            return Finding("lon", "outside_city", f"这个位置不在{current_city().name}，请核对经度和纬度。")
        return None
    planes = suggest_plane(Coordinates(np.array([lon]), np.array([lat]), System.CGCS2000), box)
    hint = f"像是{planes[0].title}的米数，" if planes else ""
    return Finding("lon", "not_degrees", f"{hint}这里要填经纬度（度）。可以先在“坐标转换”里换成 CGCS2000。")


def _ground(region: NamedRegion | None, scope: Scope) -> Iterator[Finding]:
    if region is None:
        yield Finding("lon", "outside_regions", "这个位置不在任何街镇里，请核对。")
    elif not ("" in scope.paths or scope.covers_path(region.path)):
        yield Finding(
            "lon",
            "outside_scope",
            f"这个位置在{region.full_name}，不在您的管辖范围内。请核对位置，或请上级管理员来改。",
        )


def _chosen(
    stated: Stated, district: NamedRegion | None, street: NamedRegion | None, names: Names
) -> Iterator[Finding]:
    """Yield where the regions that were chosen are not those of the point."""
    for field_name, code, own, label in (
        ("district", stated.district, district, "区"),
        ("street", stated.street, street, "街镇"),
    ):
        if not code or own is None or own.code == code:
            continue
        chosen = names.by_code.get(code)
        said = chosen.name if chosen else code[:20]
        yield Finding(
            field_name, f"{field_name}_differs", f"位置在{own.name}，所选的{label}是{said}。请改位置或改选{label}。"
        )


def _written(
    stated: Stated, district: NamedRegion | None, street: NamedRegion | None, names: Names
) -> Iterator[Finding]:
    """Yield where the address names another district or street than the point lies in."""
    if not stated.address.strip():
        return
    parts = parse(stated.address[:LONGEST], names.gazetteer)
    for said, own, label in ((parts.district, district, "区"), (parts.street, street, "街镇")):
        if said and own is not None and said != own.name:
            yield Finding(
                "address_text",
                "address_elsewhere",
                f"地址里写的{label}是{said}，位置却在{own.name}。两边要一致；确实如此请写明理由。",
                blocks=False,
            )
            return


def _door(stated: Stated, names: Names, scope: Scope) -> Candidate | None:
    """Return the one sharp place of the address, sought in the street or district that was chosen beside it."""
    if not stated.address.strip():
        return None
    parts = parse(stated.address[:LONGEST], names.gazetteer)
    chosen = names.by_code.get(stated.street or stated.district)
    text = stated.address if parts.district or chosen is None else f"{chosen.full_name}{stated.address}"
    return single_place(geocode_many([text[:LONGEST]], scope=scope)[0])


def _apart(lon: float, lat: float, door: Candidate | None, *, own: bool) -> Iterator[Finding]:
    """Yield how far a point put by hand is from the door of the address, and whether another datum explains it."""
    if door is None or not own:
        return
    metres = metres_between(lon, lat, door.lon, door.lat)
    allowed = door.uncertainty_m + SITE_M
    if metres <= allowed:
        return
    for system, called in ((System.GCJ02, "高德、腾讯地图"), (System.BD09, "百度地图")):
        there = convert(Coordinates(np.array([lon]), np.array([lat]), system), System.CGCS2000)
        if metres > SHIFTED_M and metres_between(float(there.x[0]), float(there.y[0]), door.lon, door.lat) <= allowed:
            x, y = float(there.x[0]), float(there.y[0])
            yield Finding(
                "lon",
                "wrong_datum",
                f"像是从{called}上抄的坐标，和地址差 {metres:,.0f} 米；换成 CGCS2000 是 {x:.6f}，{y:.6f}。"
                "确实没抄错请写明理由。",
                blocks=False,
            )
            return
    yield Finding(
        "lon",
        "far_from_address",
        f"位置离地址“{door.label}”{metres:,.0f} 米，超过 {allowed:,.0f} 米。请移动位置或核对地址；确实如此请写明理由。",
        blocks=False,
    )


def _water(lon: float, lat: float) -> Iterator[Finding]:
    name = water_at(lon, lat)
    if name is not None:
        where = f"“{name}”的水面" if name else "水面"
        yield Finding(
            "lon", "in_water", f"位置落在{where}上。请移到岸上；确实在水上（如码头、游船）请写明理由。", blocks=False
        )


def _twin(stated: Stated, lon: float, lat: float) -> Iterator[Finding]:
    if not (stated.kind and stated.name.strip()):
        return
    with connection.cursor() as cursor:
        asked: list[Any] = [lon, lat, CGCS2000, stated.kind, stated.name.strip(), stated.facility_id, TWIN_M]
        cursor.execute(_TWIN, asked)
        row = cursor.fetchone()
    if row is not None:
        pk, address, metres = row
        yield Finding(
            "name",
            "twin_nearby",
            f"{metres:,.0f} 米外已有同名同类的一家（{address or '没有地址'}，编号 {pk}）。是同一家就去改那一家；不是请写明理由。",
            blocks=False,
            place=pk,
        )
