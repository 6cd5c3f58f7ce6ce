"""Writes of upkeep: what people do to addresses. Each checks duty and region, leaves history, and survives every import.

Every act is written twice in one transaction: as corrections, which later imports replay, and as the rows they will make.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from geo.addresses.columns import PARTS
from geo.addresses.distances import sphere_metres
from geo.addresses.models import Act, Address, AddressAlias, AddressChange, AliasKind, Community, PointSource
from geo.addresses.upkeep.aliases import ALIAS, MERGED, RETIRED, SPLIT
from geo.addresses.upkeep.authority import check_edit, check_region
from geo.addresses.upkeep.queries import doors_called
from geo.addresses.upkeep.recording import Ledger, lock_addresses
from geo.addresses.upkeep.snapshots import place, put_back, said, same, written
from geo.addresses.upkeep.statements import (
    check_names,
    columns_of_text,
    columns_stated,
    days_stated,
    point_stated,
    reason_of,
    uncertainty_stated,
)
from geo.addresses.upkeep.versions import check_version, last_change_said
from geo.errors import BadInput, Conflict, NotFound
from geo.imports.actions import withdraw_corrections
from geo.imports.drafts import ADDED
from geo.imports.models import CURRENT, Family, Source
from geo.imports.queries import published_sources
from geo.scope import Scope

MOST_AT_ONCE: Final = 50
"""Addresses that one act may merge, or make of one."""
Stated = Mapping[str, Any]


@transaction.atomic
def correct_address(
    *, address_id: int, changes: Stated, scope: Scope, reason: str, version: str | None = None
) -> AddressChange:
    """Correct how an address is written, where it stands or which community it is in, and return the change.

    ``changes`` may hold ``text`` or single parts (``columns.PARTS``), ``lon`` and ``lat`` in CGCS2000 degrees with
    ``uncertainty_m``, and ``community_id`` (``None`` for none). ``version`` is what the caller has seen. Raises ``BadInput``,
    ``Forbidden``, ``NotFound`` and ``Conflict``: changed meanwhile, or another door is called so.
    """
    why = reason_of(reason)
    check_names(changes)
    (address,) = lock_addresses([address_id], scope)
    check_version(address, version)
    ledger = Ledger(Act.CORRECT, why, scope)
    ledger.will_touch(address)
    columns = columns_stated(changes, {name: getattr(address, name) for name in PARTS})
    if columns is not None:
        _write_columns(ledger, address, columns)
    _move(ledger, address, changes, scope)
    if "community_id" in changes:
        _settle_in(ledger, address, changes["community_id"])
    if not ledger.corrections:
        raise BadInput("nothing_changed", "没有改动：填的内容和现在的一样。")
    if columns is not None:
        _check_free(address, "correct")
    address.save()
    return ledger.close()


@transaction.atomic
def merge_addresses(
    *,
    survivor_id: int,
    merged_ids: Collection[int],
    scope: Scope,
    reason: str,
    versions: Mapping[int, str] | None = None,
) -> AddressChange:
    """Merge addresses into one that stays, and return the change; the merged ones are retired and answer with it from now on.

    ``versions`` are what the caller has seen, by address id. Raises ``BadInput``, ``Forbidden``, ``NotFound``, ``Conflict``.
    """
    why = reason_of(reason)
    others = sorted(set(merged_ids))
    if not others or survivor_id in others or len(others) > MOST_AT_ONCE:
        raise BadInput(
            "merge_invalid", f"请选 1 到 {MOST_AT_ONCE} 个要并入的地址，不能包括保留的那个。", field="merged"
        )
    locked = {address.pk: address for address in lock_addresses([survivor_id, *others], scope)}
    for address in locked.values():
        check_version(address, (versions or {}).get(address.pk))
    survivor = locked[survivor_id]
    into = {"source": survivor.source.key, "ext_id": survivor.ext_id}
    ledger = Ledger(Act.MERGE, why, scope)
    ledger.will_touch(*locked.values())
    for pk in others:
        ledger.correct(locked[pk], MERGED, written(locked[pk]), into)
        _retire(locked[pk])
    survivor.save()
    return ledger.close()


@transaction.atomic
def split_address(
    *, address_id: int, into: Sequence[Stated], scope: Scope, reason: str, version: str | None = None
) -> AddressChange:
    """Split an address into several doors, each with its own writing and point, and return the change.

    Each of ``into`` is stated like the changes of ``correct_address``; parts that are left out are those of the address, and so
    is the point. The address itself is retired and leads to all of them. Raises as ``correct_address`` does.
    """
    why = reason_of(reason)
    if not 2 <= len(into) <= MOST_AT_ONCE:
        raise BadInput("split_invalid", f"请写出拆成的 2 到 {MOST_AT_ONCE} 个地址。", field="into")
    (address,) = lock_addresses([address_id], scope)
    check_version(address, version)
    ledger = Ledger(Act.SPLIT, why, scope)
    ledger.will_touch(address)
    _retire(address)
    made = [_bring(ledger, address.source, stated, scope, like=address) for stated in into]
    for one in made:
        _check_free(one, "add", besides=made)
    distinct = {(one.normal, one.geom.x, one.geom.y) for one in made}
    if len(distinct) < len(made):
        raise BadInput("split_same", "拆出的地址里有两个写法和位置都一样，请核对。", field="into")
    ledger.correct(address, SPLIT, written(address), {"ext_ids": [one.ext_id for one in made]})
    return ledger.close()


@transaction.atomic
def alias_address(
    *,
    address_id: int,
    text: str,
    scope: Scope,
    reason: str,
    kind: str = AliasKind.SPELLING,
    from_day: str = "",
    to_day: str = "",
    version: str | None = None,
) -> AddressChange:
    """Let an address answer to another writing too: a ``spelling``, or an ``old_name`` with its days; return the change.

    The writing is answered to from ``from_day`` on; ``to_day`` says when an old name ended, and it is still understood after.
    Raises ``Conflict`` when the writing is that of another door in the same district, or known already.
    """
    why = reason_of(reason)
    if kind not in (AliasKind.SPELLING, AliasKind.OLD_NAME):
        raise BadInput("alias_kind", "别名的种类只能是 spelling（别的写法）或 old_name（旧地名）。", field="kind")
    first, last = days_stated(from_day, to_day)
    (address,) = lock_addresses([address_id], scope)
    check_version(address, version)
    columns = columns_of_text(text)
    if columns["normal"] == address.normal:
        raise Conflict("alias_same", f"“{columns['text'][:40]}”本来就是这个地址的写法，不用再加。")
    if AddressAlias.objects.filter(address=address, normal=columns["normal"]).exists():
        raise Conflict("alias_known", f"这个地址已经有“{columns['normal']}”这个别名。")
    ledger = Ledger(Act.ALIAS, why, scope)
    ledger.will_touch(address)
    ledger.correct(address, ALIAS, None, {**columns, "kind": str(kind), "from_day": first, "to_day": last})
    _check_free(address, "alias", normal=columns["normal"])
    address.save()
    return ledger.close()


@transaction.atomic
def add_address(*, stated: Stated, scope: Scope, reason: str) -> AddressChange:
    """Add a door that no source has, and return the change: ``text`` or parts, ``lon`` and ``lat``, perhaps a community.

    It joins the source of the nearest address, so that it is real beside real rows and invented beside invented ones. Raises
    ``Conflict`` when the door is on record.
    """
    why = reason_of(reason)
    check_edit(scope)
    point = point_stated(stated)
    if point is None:
        raise BadInput("position_missing", "请在地图上点出门牌的位置，或填写经度和纬度。", field="lon")
    ledger = Ledger(Act.ADD, why, scope)
    made = _bring(ledger, _source_at(*point), stated, scope)
    _check_free(made, "add")
    return ledger.close()


@transaction.atomic
def retire_address(*, address_id: int, scope: Scope, reason: str, version: str | None = None) -> AddressChange:
    """Take an address off the map for good (demolished, never there), and return the change."""
    why = reason_of(reason)
    (address,) = lock_addresses([address_id], scope)
    check_version(address, version)
    ledger = Ledger(Act.RETIRE, why, scope)
    ledger.will_touch(address)
    ledger.correct(address, RETIRED, written(address), True)
    _retire(address)
    return ledger.close()


@transaction.atomic
def undo_change(*, change_id: int, scope: Scope, reason: str = "") -> AddressChange:
    """Put back what a change did, and return the change that did so; the next imports follow the sources again.

    Raises ``Conflict`` when the change was undone, or when something touched one of its addresses later.
    """
    check_edit(scope)
    change = AddressChange.objects.select_for_update().filter(pk=change_id).first()
    if change is None:
        raise NotFound("change_unknown", "没有找到这次改动。")
    if change.act == Act.UNDO:
        raise Conflict("undo_of_undo", "撤销本身不能再撤销；需要的话请重新改一次。")
    if AddressChange.objects.filter(undoes=change).exists():
        raise Conflict("change_undone", "这次改动已经撤销过了。")
    rows = lock_addresses(change.addresses, scope, retired=True)
    _check_untouched(change, rows)
    ledger = Ledger(Act.UNDO, reason.strip()[:300] or f"撤销{Act(change.act).label}", scope, undoes=change)
    ledger.will_touch(*rows)
    withdraw_corrections(ids=change.corrections, actor=scope.actor)
    for address in rows:
        before = change.before[str(address.pk)]
        if before is not None:
            check_region(scope, before["region_id"])
        put_back(address, before)
    return ledger.close()


def _check_untouched(change: AddressChange, rows: Sequence[Address]) -> None:
    later = AddressChange.objects.filter(addresses__overlap=change.addresses, pk__gt=change.pk, undone_by=None)
    standing = later.exclude(act=Act.UNDO).order_by("pk").first()
    if standing is not None:
        raise Conflict(
            "touched_later", f"之后又有改动（{last_change_said(standing)}），请先撤销那一次。", change=standing.pk
        )
    if not all(same(said(row), change.after[str(row.pk)]) for row in rows):
        raise Conflict("touched_later", "之后导入的数据又改了这个地址，不能直接撤销。请打开地址重新更正。")


def _write_columns(ledger: Ledger, address: Address, columns: Mapping[str, str]) -> None:
    """Write an address anew. All its parts are corrected, the same ones too: a later row of the source must not mix with them."""
    old = {name: getattr(address, name) for name in (*PARTS, "text")}
    if all(old[name] == columns[name] for name in old):
        return
    for name, was in old.items():
        ledger.correct(address, name, was, columns[name])
        setattr(address, name, columns[name])
    address.normal = columns["normal"]


def _move(ledger: Ledger, address: Address, changes: Stated, scope: Scope) -> None:
    """Put an address where it is stated to stand; a point put by hand is a survey with a radius of its own."""
    point = point_stated(changes)
    old = address.geom.x, address.geom.y
    moved = point is not None and point != old
    if point is not None and moved:
        ledger.correct(address, "position", list(old), list(point))
        place(address, *point)
        check_region(scope, address.region_id, moved=True)
        address.point_source = PointSource.SURVEY
    if not moved and changes.get("uncertainty_m") is None:
        return
    radius = uncertainty_stated(changes)
    if radius != address.uncertainty_m:
        ledger.correct(address, "uncertainty_m", address.uncertainty_m, radius)
        address.uncertainty_m = radius


def _settle_in(ledger: Ledger, address: Address, community_id: Any) -> None:
    if community_id == address.community_id:
        return
    site = _community(community_id)
    old = address.community
    before = (old.source.key, old.ext_id) if old else ("", "")
    after = (site.source.key, site.ext_id) if site else ("", "")
    for field, one, other in zip(("community_source", "community_ext_id"), before, after, strict=True):
        if one != other:
            ledger.correct(address, field, one, other)
    address.community = site


def _community(community_id: Any) -> Community | None:
    if community_id is None:
        return None
    site = Community.objects.filter(CURRENT, pk=community_id).first() if isinstance(community_id, int) else None
    if site is None:
        raise BadInput("community_unknown", "没有找到这个小区，请核对编号。", field="community_id")
    return site


def _retire(address: Address) -> None:
    address.retired_at = timezone.now()
    address.save()


def _bring(ledger: Ledger, source: Source, stated: Stated, scope: Scope, like: Address | None = None) -> Address:
    """Write a door that people state into a source, as its row and as the correction that brings it at every import."""
    check_names(stated)
    columns = columns_stated(stated, {name: getattr(like, name) for name in PARTS} if like else None)
    if columns is None:
        if like is None:
            raise BadInput("address_missing", "请写出地址，例如“艾家弄86号”。", field="text")
        columns = {name: getattr(like, name) for name in (*PARTS, "text", "normal")}
    point = point_stated(stated) or ((like.geom.x, like.geom.y) if like else None)
    assert point is not None
    site = _community(stated["community_id"]) if "community_id" in stated else like.community if like else None
    address = Address(
        source=source,
        ext_id=f"hand-{uuid.uuid4().hex[:20]}",
        **{name: columns[name] for name in (*PARTS, "text", "normal")},
        point_source=PointSource.SURVEY,
        uncertainty_m=uncertainty_stated(stated),
        community=site,
    )
    place(address, *point)
    check_region(scope, address.region_id, moved=True)
    address.save()
    payload: dict[str, Any] = {
        **written(address),
        "point_source": PointSource.SURVEY.value,
        "uncertainty_m": address.uncertainty_m,
    }
    if site is not None:
        payload |= {"community_source": site.source.key, "community_ext_id": site.ext_id}
    ledger.has_made(address)
    ledger.correct(address, ADDED, None, {"payload": payload, "position": list(point)})
    return address


def _source_at(lon: float, lat: float) -> Source:
    """Return the published source that an added door joins: that of the nearest address."""
    sources = published_sources(Family.ADDRESSES)
    near = Address.objects.filter(CURRENT, source__in=sources).order_by(sphere_metres(lon, lat))
    address = near.select_related("source").first()
    found = address.source if address else sources.order_by("pk").first()
    if found is None:
        raise Conflict("addresses_unpublished", "还没有发布任何门牌数据，请先导入，再补录单个地址。")
    return found


def _check_free(address: Address, act: str, normal: str = "", besides: Sequence[Address] = ()) -> None:
    """Raise ``Conflict`` when another current door of the same district has the writing."""
    own = {address.pk, *(each.pk for each in besides)}
    others = [other for other in doors_called(normal or address.normal, near=address) if other.pk not in own]
    if others:
        said_how = {"add": "不用补录；位置不对就更正它。", "alias": "不能再作别名；是同一处就把两个地址合并。"}
        message = f"同一个区里已经有“{others[0].normal}”（编号 {others[0].pk}），"
        raise Conflict(
            "address_exists",
            message + said_how.get(act, "是同一处就把两个地址合并，不是的话请写得更细。"),
            address=others[0].pk,
        )
