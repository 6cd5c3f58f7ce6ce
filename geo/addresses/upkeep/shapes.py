"""Addresses, changes, conflicts and findings as the API writes them, in the coordinate system that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo.addresses.columns import PARTS
from geo.addresses.gazetteer import Names, names_of, published_now
from geo.addresses.models import Act, Address, AddressAlias, AddressChange, AddressConflict, AuditFinding, FindingKind
from geo.addresses.positions import written
from geo.addresses.upkeep.queries import Detail
from geo.addresses.upkeep.snapshots import differences
from geo.addresses.upkeep.versions import version_of
from geo.crs import System

Shape = dict[str, Any]


def addresses_shape(addresses: Sequence[Address], to: System) -> list[Shape]:
    """Return addresses as they are now."""
    names = names_of(published_now())
    points = written([each.geom.x for each in addresses], [each.geom.y for each in addresses], to)
    return [_address(each, point, names) for each, point in zip(addresses, points, strict=True)]


def _address(address: Address, point: tuple[float, float], names: Names) -> Shape:
    region = names.region(address.region_id)
    return {
        "id": address.pk,
        "text": address.text,
        "normal": address.normal,
        "parts": {name: getattr(address, name) for name in PARTS if getattr(address, name)},
        "lon": point[0],
        "lat": point[1],
        "uncertainty_m": address.uncertainty_m,
        "point_source": str(address.point_source),
        "region": None
        if region is None
        else {"code": region.code, "level": region.level, "name": region.name, "full_name": region.full_name},
        "community": None
        if address.community is None
        else {"id": address.community.pk, "name": address.community.name},
        "source": address.source.title,
        "version": version_of(address),
        "retired": address.retired_at is not None,
    }


def detail_shape(detail: Detail, to: System) -> Shape:
    """Return one address with its aliases and history."""
    (shape,) = addresses_shape([detail.address], to)
    return shape | {
        "aliases": [alias_shape(alias) for alias in detail.aliases],
        "history": [change_shape(change) for change in detail.changes],
        "successors": [address.pk for address in detail.successors],
        "may_edit": detail.may_edit,
    }


def alias_shape(alias: AddressAlias) -> Shape:
    """Return another writing of an address."""
    return {
        "text": alias.text,
        "normal": alias.normal,
        "kind": str(alias.kind),
        "from_day": alias.from_day.isoformat() if alias.from_day else None,
        "to_day": alias.to_day.isoformat() if alias.to_day else None,
        "former": alias.former_id,
    }


def change_shape(change: AddressChange) -> Shape:
    """Return a change with what it changed in each address, in words."""
    return {
        "id": change.pk,
        "act": str(change.act),
        "title": Act(change.act).label,
        "actor": change.actor,
        "at": change.at.isoformat(),
        "reason": change.reason,
        "addresses": list(change.addresses),
        "differences": [
            {"address": int(pk), **difference._asdict()}
            for pk in change.after
            for difference in differences(change.before.get(pk), change.after[pk])
        ],
        "undoes": change.undoes_id,
        "undone": hasattr(change, "undone_by"),
    }


def conflicts_shape(conflicts: Sequence[AddressConflict], to: System) -> list[Shape]:
    """Return conflicts with the statements that disagree."""
    points = written([each.geom.x for each in conflicts], [each.geom.y for each in conflicts], to)
    return [
        {
            "id": each.pk,
            "kind": str(each.kind),
            "title": each.title,
            "state": str(each.state),
            "metres": each.metres,
            "lon": lon,
            "lat": lat,
            "digest": each.digest,
            "statements": _statements(each, to),
            "decisions": each.decisions,
        }
        for each, (lon, lat) in zip(conflicts, points, strict=True)
    ]


def _statements(conflict: AddressConflict, to: System) -> list[Shape]:
    rows = conflict.facts["statements"]
    points = written([row["lon"] for row in rows], [row["lat"] for row in rows], to)
    return [row | {"lon": lon, "lat": lat} for row, (lon, lat) in zip(rows, points, strict=True)]


def findings_shape(findings: Sequence[AuditFinding], to: System) -> list[Shape]:
    """Return what a check found."""
    points = written([each.geom.x for each in findings], [each.geom.y for each in findings], to)
    return [
        {
            "kind": str(each.kind),
            "title": FindingKind(each.kind).label,
            "message": each.message,
            "measure": each.measure,
            "unit": each.unit,
            "lon": lon,
            "lat": lat,
            "subjects": each.subjects,
        }
        for each, (lon, lat) in zip(findings, points, strict=True)
    ]
