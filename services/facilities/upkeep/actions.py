"""Writes of upkeep: what people do to places. Each checks duty and region, is done once, leaves history, and survives imports.

Every act is written twice in one transaction: as corrections, which later imports replay, and as the rows they will make.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.addresses.models import PointSource
from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.imports.actions import withdraw_corrections
from geo.imports.models import Correction
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.actions import change_status, covers
from services.facilities.intake_writing import desk_source
from services.facilities.kinds import all_kinds, known_kind
from services.facilities.kinds.declared import Kind
from services.facilities.known import FEES
from services.facilities.models import Facility, FacilityStatus, StatusChange
from services.facilities.naming import facility_grams
from services.facilities.upkeep.checking import ATTRIBUTE, faults_of
from services.facilities.upkeep.findings import Finding
from services.facilities.upkeep.following import follow, return_followed
from services.facilities.upkeep.models import Act, FacilityChange, MergedFacility
from services.facilities.upkeep.position import Spot, Stated, look_at
from services.facilities.upkeep.recording import (
    EDIT,
    REPORT,
    Record,
    check_report_duty,
    check_version,
    lock_places,
    once,
    reason_of,
)
from services.facilities.upkeep.snapshots import MERGED, RETIRED, place, put_back, said, same

Values = Mapping[str, Any]
"""What a form says of a place: kind_id, name, address_text, phone, hours (as kept), ``attributes.KEY`` (``None`` takes it away),
position (lon, lat in CGCS2000 degrees), district and street (codes that must be those of the point)."""
OWN: Final = frozenset({"phone", "hours", *(f"{ATTRIBUTE}{key}" for key in FEES)})
"""What whoever runs a place may say of it without keeping the region."""
_TEXTS: Final = ("name", "address_text", "phone")
_WHERE: Final = frozenset({"position", "address_text", "district", "street"})


class Refused(BadInput):
    """Entries that cannot be, or that need a reason; ``findings`` are all of them."""

    def __init__(self, findings: list[Finding]) -> None:
        first = next((each for each in findings if each.blocks), findings[0])
        more = f"（共 {len(findings)} 处）" if len(findings) > 1 else ""
        super().__init__("place_refused", f"{first.message}{more}", field=first.field)
        self.findings = findings


@transaction.atomic
def add_facility(*, values: Values, key: UUID, scope: Scope, reason: str = "", why: str = "") -> FacilityChange:
    """Add a place that no source has, and return the change. Needs ``facilities.edit`` where it stands.

    Without a position it stands where its address is. ``why`` says why what needs a reason stands as it is. Raises ``Refused``.
    """
    check_duty(scope, EDIT)
    if (done := once(key)) is not None:
        return _own(done, scope)
    kind = _offered(str(values.get("kind_id", "")))
    required: dict[str, Any] = {"name": "", "address_text": ""}
    spot = look_at(_stated(values, kind.key, None), scope=scope)
    _judge([*faults_of({**required, **_entries(values)}, kind), *spot.findings], why)
    record = Record(Act.ADD, key=key, reason=_reason(reason or "新增", why), scope=scope)
    attributes = {
        name.removeprefix(ATTRIBUTE): value for name, value in values.items()
        if name.startswith(ATTRIBUTE) and value is not None
    }  # fmt: skip
    facility = Facility(
        source=desk_source(),
        ext_id=f"hand-{key.hex}",
        kind_id=kind.key,
        name=str(values["name"]).strip(),
        address_text=str(values["address_text"]).strip(),
        phone=str(values.get("phone") or "").strip(),
        status=values.get("status") or FacilityStatus.OPEN.value,
        attributes=attributes,
        hours=values.get("hours") or {},
        hours_as_of=timezone.localdate() if values.get("hours") else None,
        as_of=timezone.localdate(),
    )
    _settle(facility, spot)
    facility.grams = facility_grams(facility.name, facility.address_text)
    record.save(facility)
    record.has_made(facility)
    return record.close()


@transaction.atomic
def edit_facility(
    *, facility_id: int, changes: Values, key: UUID, version: str, scope: Scope, reason: str, why: str = ""
) -> FacilityChange:
    """Change what a place says of itself or where it stands, and return the change; only what is named is changed.

    Needs ``facilities.edit`` over the place; who runs it (``facilities.report``) may change ``OWN``. ``version`` is what the
    caller has seen. Raises ``Refused``, ``BadInput`` when nothing changes, ``Forbidden``, ``NotFound``, and ``Conflict`` with
    what others did.
    """
    facility, done = _opened(facility_id, key, scope)
    if done is not None:
        return done
    check_version(facility, version)
    _check_own(facility, changes, scope)
    explained = reason_of(reason)
    kind = _kind_after(facility, changes)
    record = Record(Act.EDIT, key=key, reason=_reason(explained, why), scope=scope)
    record.will_touch(facility)
    spot = _judged(facility, changes, kind, why, scope)
    before = said(facility)
    _apply(facility, changes, kind)
    if spot is not None and ("position" in changes or "address_text" in changes):
        _move(facility, changes, spot)
    if same(before, said(facility)):
        raise BadInput("nothing_changed", "没有改动：填的内容和现在的一样。")
    _correct(record, facility, before)
    facility.as_of = timezone.localdate()
    facility.grams = facility_grams(facility.name, facility.address_text)
    record.save(facility)
    return record.close()


@transaction.atomic
def set_status(
    *, facility_id: int, status: str, key: UUID, scope: Scope, reason: str, effective_on: dt.date | None = None
) -> FacilityChange:
    """Close a place, suspend it, open it again, and return the change. See ``services.facilities.actions.change_status``."""
    if (done := once(key)) is not None:
        return _own(done, scope)
    (facility,) = lock_places([facility_id], scope)
    record = Record(Act.STATUS, key=key, reason=reason.strip() or "改变状态", scope=scope)
    record.will_touch(facility)
    change_status(facility_id=facility_id, status=status, reason=reason, effective_on=effective_on, scope=scope)
    return record.close()


@transaction.atomic
def retire_facility(*, facility_id: int, key: UUID, version: str, scope: Scope, reason: str) -> FacilityChange:
    """Take a place down for good (gone, never there), and return the change. Nothing of it is erased: it can be put up again."""
    if (done := once(key)) is not None:
        return _own(done, scope)
    why = reason_of(reason)
    (facility,) = lock_places([facility_id], scope)
    check_version(facility, version)
    record = Record(Act.RETIRE, key=key, reason=why, scope=scope)
    record.will_touch(facility)
    record.correct(facility, RETIRED, _written(facility), True)
    facility.retired_at = timezone.now()
    record.save(facility)
    return record.close()


@transaction.atomic
def return_facility(*, facility_id: int, key: UUID, scope: Scope, reason: str) -> FacilityChange:
    """Put a place up again that people took down, and return the change.

    Raises ``Conflict`` for one that an import or a merge ended.
    """
    if (done := once(key)) is not None:
        return _own(done, scope)
    why = reason_of(reason)
    (facility,) = lock_places([facility_id], scope, retired=True)
    if facility.retired_at is None:
        raise Conflict("facility_current", "这家机构没有下线，不用恢复。")
    down = Correction.objects.filter(
        source=facility.source, ext_id=facility.ext_id, field=RETIRED, cleared_at=None
    ).values_list("pk", flat=True)
    if MergedFacility.objects.filter(facility=facility).exists():
        raise Conflict("facility_merged", "这家机构已经并入另一家，请在那一家的改动记录里撤销合并。")
    if not down or facility.source.retired_at is not None:
        raise Conflict("facility_gone", "这家机构是数据来源里不再有的，不能在这里恢复。需要的话请新增一家。")
    record = Record(Act.RETURN, key=key, reason=why, scope=scope)
    record.will_touch(facility)
    withdraw_corrections(ids=list(down), actor=scope.actor)
    facility.retired_at = None
    record.save(facility)
    return record.close()


@transaction.atomic
def merge_facilities(
    *,
    survivor_id: int,
    merged_id: int,
    take: Values,
    key: UUID,
    versions: Mapping[int, str],
    scope: Scope,
    reason: str,
) -> FacilityChange:
    """Merge a place into one that stays, and return the change; whoever asks for the merged one is led to the other.

    ``take`` names the entries (of ``said``, attributes as ``attributes.KEY``) in which the one that stays says what the other
    did. All that refers to the merged one follows. ``versions`` are what the caller has seen, by id. Raises as ``edit_facility``.
    """
    if (done := once(key)) is not None:
        return _own(done, scope)
    why = reason_of(reason)
    if survivor_id == merged_id:
        raise BadInput("merge_invalid", "要并入的是另一家，不能是它自己。", field="merged")
    locked = {row.pk: row for row in lock_places([survivor_id, merged_id], scope)}
    for row in locked.values():
        check_version(row, versions.get(row.pk, ""))
    stays, gone = locked[survivor_id], locked[merged_id]
    if stays.kind.group != gone.kind.group:
        raise BadInput("merge_kinds", "这两家不是同一大类，不能合并。", field="merged")
    record = Record(Act.MERGE, key=key, reason=why, scope=scope)
    record.will_touch(stays, gone)
    before = said(stays)
    _take_over(stays, gone, take)
    _correct(record, stays, before)
    into = {"source": stays.source.key, "ext_id": stays.ext_id}
    record.correct(gone, MERGED, _written(gone), into)
    record.followed = follow(gone=gone, stays=stays)
    MergedFacility.objects.create(facility=gone, into=stays)
    _newest_figures(stays, gone)
    gone.retired_at = timezone.now()
    stays.as_of = timezone.localdate()
    stays.grams = facility_grams(stays.name, stays.address_text)
    record.save(stays, gone)
    return record.close()


@transaction.atomic
def undo_change(*, change_id: int, key: UUID, scope: Scope) -> FacilityChange:
    """Put back what a change did, and return the change that did so; the next imports follow the sources again.

    Raises ``Conflict`` when the change was undone, or when something touched one of its places later.
    """
    check_duty(scope, EDIT)
    if (done := once(key)) is not None:
        return _own(done, scope)
    change = FacilityChange.objects.select_for_update().filter(pk=change_id).first()
    if change is None:
        raise NotFound("change_unknown", "没有找到这次改动。")
    rows = lock_places(change.facilities, scope, retired=True)
    if change.act == Act.UNDO:
        raise Conflict("undo_of_undo", "撤销本身不能再撤销；需要的话请重新改一次。")
    if FacilityChange.objects.filter(undoes=change).exists():
        raise Conflict("change_undone", "这次改动已经撤销过了。")
    _check_untouched(change, rows)
    record = Record(Act.UNDO, key=key, reason=f"撤销{change.get_act_display()}", scope=scope, undoes=change)
    record.will_touch(*rows)
    withdraw_corrections(ids=change.corrections, actor=scope.actor)
    if change.act in (Act.RETURN, Act.MERGE):
        _undo_standing(change, record, rows, scope)
    for row in rows:
        _put_back(row, change, scope)
    record.save(*rows)
    return record.close()


def _undo_standing(change: FacilityChange, record: Record, rows: list[Facility], scope: Scope) -> None:
    """Take down again what was put up, or give back what a merge took along."""
    if change.act == Act.RETURN:
        record.correct(rows[0], RETIRED, _written(rows[0]), True)
        return
    merged = MergedFacility.objects.select_related("facility", "into").get(facility__in=rows, into__in=rows)
    return_followed(change.followed, to=merged.facility, stayed=merged.into)
    merged.delete()


def _put_back(facility: Facility, change: FacilityChange, scope: Scope) -> None:
    before, status = change.before[str(facility.pk)], facility.status
    put_back(facility, before)
    if not covers(scope, facility):
        raise Forbidden("position_outside_scope", "恢复后的位置不在您的管辖范围内，请上级管理员来撤销。")
    if before is not None and before["status"] != status:
        StatusChange.objects.create(
            facility=facility, status=facility.status, effective_on=timezone.localdate(),
            reason=f"撤销{change.get_act_display()}", actor=scope.actor,
        )  # fmt: skip


def _check_untouched(change: FacilityChange, rows: list[Facility]) -> None:
    later = FacilityChange.objects.filter(facilities__overlap=change.facilities, pk__gt=change.pk, undone_by=None)
    standing = later.exclude(act=Act.UNDO).order_by("pk").first()
    if standing is not None:
        raise Conflict(
            "touched_later",
            f"之后 {standing.actor} 又做过“{standing.get_act_display()}”，请先撤销那一次。",
            change=standing.pk,
        )
    if not all(same(said(row), change.after[str(row.pk)]) for row in rows):
        raise Conflict("touched_later", "之后导入或别处又改了这家机构，不能直接撤销。请打开它重新修改。")


def _opened(facility_id: int, key: UUID, scope: Scope) -> tuple[Facility, FacilityChange | None]:
    """Return a place locked for a change, and what the same key did already."""
    duty = EDIT if scope.holds(EDIT) else REPORT
    done = once(key)
    (facility,) = lock_places([facility_id], scope, duty=duty)
    check_report_duty(scope, facility)
    return facility, _own(done, scope) if done is not None else None


def _own(done: FacilityChange, scope: Scope) -> FacilityChange:
    if done.actor != scope.actor:
        raise Conflict("key_used", "这一页已经提交过，请重新打开再改。")
    return done


def _check_own(facility: Facility, changes: Values, scope: Scope) -> None:
    if not scope.holds(EDIT) and set(changes) - OWN:
        raise Forbidden("field_kept_by_staff", "这几项由管理部门维护，您可以改电话、开放时间和收费。")


def _offered(key: str) -> Kind:
    found = next((kind for kind in all_kinds() if kind.key == key), None)
    if found is None:
        raise BadInput("kind_unknown", "请先选机构的类型。", field="kind_id")
    return found


def _kind_after(facility: Facility, changes: Values) -> Kind:
    now = known_kind(facility.kind_id)
    wanted = known_kind(str(changes["kind_id"])) if "kind_id" in changes else now
    if wanted is None or now is None or wanted.group != now.group or (wanted.retired and wanted != now):
        raise BadInput("kind_unknown", "类型只能改成同一大类里的另一种。", field="kind_id")
    return wanted


def _entries(values: Values) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in (*_TEXTS, "hours") or name.startswith(ATTRIBUTE)}


def _stated(values: Values, kind: str, facility: Facility | None) -> Stated:
    lon, lat = values.get("position") or ((facility.geom.x, facility.geom.y) if facility else (None, None))
    own = {"name": facility.name, "address_text": facility.address_text} if facility else {}
    return Stated(
        lon=lon,
        lat=lat,
        address=str(values.get("address_text", own.get("address_text", ""))),
        district=str(values.get("district") or ""),
        street=str(values.get("street") or ""),
        kind=kind,
        name=str(values.get("name", own.get("name", ""))),
        facility_id=facility.pk if facility else 0,
    )


def _judged(facility: Facility, changes: Values, kind: Kind, why: str, scope: Scope) -> Spot | None:
    """Judge what is changed, with what it must fit; return where the place will stand where that was asked."""
    rest = {f"{ATTRIBUTE}{key}": value for key, value in facility.attributes.items() if kind.attribute(key)}
    touched = {name for name in changes if name.startswith(ATTRIBUTE)}
    entries = {**(rest if touched else {}), **_entries(changes)}
    findings = faults_of(entries, kind)
    spot = None
    if _WHERE & changes.keys() or {"name", "kind_id"} & changes.keys():
        spot = look_at(_stated(changes, kind.key, facility), scope=scope)
        findings += [each for each in spot.findings if _concerns(each, changes)]
    _judge(findings, why)
    return spot


def _concerns(finding: Finding, changes: Values) -> bool:
    """Say whether a finding comes of what is changed: what was there before does not keep others from being corrected."""
    if finding.code == "twin_nearby":
        return bool({"name", "kind_id", "position"} & changes.keys())
    if finding.code in ("in_water", "outside_scope", "outside_regions", "outside_city", "axes_swapped", "not_degrees"):
        return "position" in changes
    return bool(_WHERE & changes.keys())


def _judge(findings: list[Finding], why: str) -> None:
    open_ones = [each for each in findings if each.blocks or not why.strip()]
    if open_ones:
        raise Refused(open_ones)


def _reason(reason: str, why: str) -> str:
    said_why = " ".join(why.split())
    return f"{reason}（保留的理由：{said_why}）" if said_why else reason


def _settle(facility: Facility, spot: Spot) -> None:
    assert spot.lon is not None
    assert spot.lat is not None
    place(facility, spot.lon, spot.lat)
    facility.point_source, facility.uncertainty_m = spot.source, spot.uncertainty_m


def _apply(facility: Facility, changes: Values, kind: Kind) -> None:
    for name in _TEXTS:
        if name in changes:
            setattr(facility, name, str(changes[name] or "").strip())
    if "hours" in changes:
        facility.hours, facility.hours_as_of = changes["hours"] or {}, timezone.localdate()
    merged = {key: value for key, value in facility.attributes.items() if kind.attribute(key)}
    for name, value in changes.items():
        if name.startswith(ATTRIBUTE):
            merged[name.removeprefix(ATTRIBUTE)] = value
    facility.attributes = {key: value for key, value in merged.items() if value is not None}
    facility.kind_id = kind.key


def _move(facility: Facility, changes: Values, spot: Spot) -> None:
    """Put a place where it is stated to stand; a point that nobody moved stays as it was found."""
    if "position" not in changes or spot.lon is None or spot.lat is None:
        return
    if [facility.geom.x, facility.geom.y] == [spot.lon, spot.lat]:
        return
    _settle(facility, spot)
    facility.point_source = PointSource.SURVEY


def _correct(record: Record, facility: Facility, before: Values) -> None:
    """Keep every entry that is other than before as a correction of the source."""
    now = said(facility)
    names = {"kind_id": "kind"}
    for name in ("kind_id", "name", "address_text", "phone", "hours", "position", "uncertainty_m"):
        if before[name] != now[name]:
            record.correct(facility, names.get(name, name), before[name], now[name])
    old, new = before["attributes"], now["attributes"]
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            record.correct(facility, f"{ATTRIBUTE}{key}", old.get(key), new.get(key))


def _take_over(stays: Facility, gone: Facility, take: Values) -> None:
    """Let the one that stays say what the other did, entry by entry."""
    other = said(gone)
    changes: dict[str, Any] = {}
    for name in take:
        if name.startswith(ATTRIBUTE):
            changes[name] = other["attributes"].get(name.removeprefix(ATTRIBUTE))
        elif name in (*_TEXTS, "hours", "kind_id"):
            changes[name] = other[name]
    kind = _kind_after(stays, changes)
    _apply(stays, changes, kind)
    if "position" in take:
        place(stays, *other["position"])
        stays.point_source, stays.uncertainty_m = PointSource.SURVEY, gone.uncertainty_m


def _newest_figures(stays: Facility, gone: Facility) -> None:
    """Let the newer report of capacity stand."""
    if gone.vacancies_as_of is None or (stays.vacancies_as_of and stays.vacancies_as_of >= gone.vacancies_as_of):
        return
    for name in ("places", "vacancies", "vacancies_as_of", "vacancies_source"):
        setattr(stays, name, getattr(gone, name))


def _written(facility: Facility) -> dict[str, str]:
    """Return how a place is called and where, as a source's row holds it."""
    return {"kind": facility.kind_id, "name": facility.name, "address_text": facility.address_text}
