"""Writes of fences: drafts begun, fences drawn or made, checked, approved, published from a moment, taken back, rolled back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from geo.errors import BadInput, Conflict
from geo.fences.areas import Act, Areas, hex_of
from geo.fences.drafting import Told, Wanted
from geo.fences.drafts import EditionState
from geo.fences.evaluate.hours import Hours
from geo.fences.models import FenceChange, FenceEdition
from geo.fences.publishing import Publishing
from geo.fences.purposes import ShapeKind, purpose_of
from geo.fences.shapes import shape_of_definition
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.fencing.isochrones import reached
from services.fencing.queries import (
    APPROVE,
    DRAFTS,
    EDIT,
    FENCE_ROWS,
    district_seen,
    edition_at,
    edition_seen,
    flaws_in,
    locked_edition,
    purpose_for,
    table_of,
    versions_beside,
)

MOST_FENCES: Final = 5_000
FARTHEST: Final = dt.timedelta(days=730)
LONGEST_OWNER: Final = 80
LONGEST_NOTE: Final = 200


@dataclass(frozen=True, slots=True)
class FenceFinding:
    """Something found in a draft; an ``error`` stands in the way of approval."""

    level: str
    message: str


def findings_of(edition: FenceEdition) -> list[FenceFinding]:
    """Return what is wrong with an edition, errors first; notices are told on the map only."""
    if not edition.areas.exists():
        return [FenceFinding("error", "还没有画围栏。请先画一个，或从文件导入。")]
    names = {key: area.name for key, area in table_of(edition).areas.items()}
    return [
        FenceFinding(flaw.level, f"{_of(names, flaw.area)}{flaw.title}。{flaw.said}")
        for flaw in flaws_in(edition)
        if flaw.level != "notice"
    ]


def _of(names: Mapping[str, str], key: str) -> str:
    return f"“{names[key]}”" if key in names else ""


def _about(edition: FenceEdition, given: Mapping[str, Any]) -> Told:
    """Return whose a fence is and when it holds; with ``kind`` and ``definition`` also what it is made from."""
    owner = " ".join(str(given.get("owner") or "").split())
    if len(owner) > LONGEST_OWNER:
        called = purpose_for(edition).owner
        raise BadInput("fence_owner_long", f"{called}最多 {LONGEST_OWNER} 个字。", fields={"owner": "请写短一些。"})
    first, last = _day(given.get("from_day"), "from_day"), _day(given.get("to_day"), "to_day")
    if first and last and first > last:
        raise BadInput("fence_days", "结束日期早于开始日期，请核对。", fields={"to_day": "早于开始日期。"})
    hours = given.get("hours") or {}
    Hours.read(hours)
    made = {name: given[name] for name in ("kind", "definition") if name in given}
    days = {"from_day": first and first.isoformat(), "to_day": last and last.isoformat()}
    return {"owner": owner, **days, "hours": hours} | made


def _day(given: Any, name: str) -> dt.date | None:
    if not given:
        return None
    try:
        return given if isinstance(given, dt.date) else dt.date.fromisoformat(str(given))
    except ValueError:
        raise BadInput("fence_day", "日期请写成 2026-12-01 这样。", fields={name: "日期没有读懂。"}) from None


def _changed(before: Told, after: Told) -> str:
    said = "，改了归属" if before["owner"] != after["owner"] else ""
    when = [name for name in ("from_day", "to_day", "hours") if before[name] != after[name]]
    return f"{said}，改了生效时间" if when else said


FENCES: Final = Areas(
    DRAFTS, FENCE_ROWS, table_of, _about, _changed, "围栏", MOST_FENCES,
    reshaped={"kind": ShapeKind.POLYGON.value, "definition": {}},
)  # fmt: skip


def shape_made(
    edition: FenceEdition, *, kind: str, definition: Mapping[str, Any], scope: Scope
) -> tuple[BaseGeometry, dict[str, Any]]:
    """Return the shape (CGCS2000 degrees) that a definition makes in an edition's district, and the definition as it is kept.

    Raises ``BadInput`` that says what to give instead, for isochrones also what ``isochrones.reached`` raises.
    """
    if kind == ShapeKind.ISOCHRONE:
        return reached(definition, district_id=edition.district_id, scope=scope)
    return shape_of_definition(kind, definition, district_id=edition.district_id), dict(definition)


def make_fence(
    act: Act, *, name: str, kind: str, definition: Mapping[str, Any], about: Mapping[str, Any]
) -> FenceChange | None:
    """Add a circle, a corridor, whole regions or an isochrone as a fence. Raises what ``shape_made`` raises."""
    edition = edition_seen(act.edition_id, scope=act.scope, duty=EDIT)
    shape, kept = shape_made(edition, kind=kind, definition=definition, scope=act.scope)
    return FENCES.add(act, name=name, about={**about, "kind": kind, "definition": kept}, shape=shape)


def make_anew(act: Act, *, same: UUID, kind: str, definition: Mapping[str, Any]) -> FenceChange | None:
    """Give a fence the shape of another definition: another radius, width, road or time. Raises what ``shape_made`` raises."""
    seen = edition_seen(act.edition_id, scope=act.scope, duty=EDIT)
    shape, kept = shape_made(seen, kind=kind, definition=definition, scope=act.scope)

    def work(edition: FenceEdition) -> Wanted:
        fence = FENCES.area_of(edition, same)
        made = {"kind": kind, "definition": kept, "geom": hex_of(FENCES.sound(shape))}
        return f"改了围栏“{fence.name}”的画法", {FENCE_ROWS.key(same): FENCE_ROWS.told(fence) | made}

    return FENCES.done(act, "area_shape", work)


def say_note(act: Act, *, note: str) -> FenceChange | None:
    """Say what a draft is about, for those who approve it."""
    said = " ".join(note.split())
    if len(said) > LONGEST_NOTE:
        raise BadInput("fence_note_long", f"说明最多 {LONGEST_NOTE} 个字。", fields={"note": "请写短一些。"})
    return FENCES.done(act, "note", lambda edition: ("写了说明", {"edition": DRAFTS.told(edition) | {"note": said}}))


@transaction.atomic
def open_draft(*, purpose: str, district: str, scope: Scope) -> FenceEdition:
    """Return the draft of a purpose and district (code); a new one begins with what counts now.

    Raises ``BadInput`` for an unknown purpose, ``Forbidden`` for a district outside the scope.
    """
    if purpose_of(purpose) is None:
        raise BadInput("fence_purpose_unknown", "请选围栏的用途。")
    region = district_seen(district, scope=scope, duty=EDIT).region_id
    own = FenceEdition.objects.select_for_update().filter(purpose=purpose, district=region)
    if draft := own.exclude(state=EditionState.PUBLISHED).first():
        return draft
    begins = edition_at(purpose=purpose, district_id=region)
    try:
        with transaction.atomic():
            return _begun(purpose, region, begins, scope)
    except IntegrityError:  # somebody opened one at the same moment: it is theirs and ours
        return own.exclude(state=EditionState.PUBLISHED).get()


def _begun(purpose: str, district_id: int, begins: FenceEdition | None, scope: Scope) -> FenceEdition:
    last = FenceEdition.objects.filter(purpose=purpose, district=district_id).aggregate(last=Max("number"))
    draft = FenceEdition.objects.create(
        purpose=purpose, district_id=district_id, number=(last["last"] or 0) + 1, begun_from=begins,
        made_by=scope.actor, changed_by=scope.actor,
    )  # fmt: skip
    said = f"从第 {begins.number} 版开始" if begins else "从空白开始"
    if begins:
        DRAFTS.copy(begins, draft)
    PUBLISHING.begun(draft, "begin", said, scope)
    return draft


def check_draft(*, edition_id: UUID, scope: Scope) -> tuple[FenceEdition, Sequence[Any]]:
    """Look a draft through; without errors it becomes checked, until somebody changes it. Return it and what was found."""
    return PUBLISHING.check(edition_id=edition_id, scope=scope)


def publish_edition(*, edition_id: UUID, seen: int, from_moment: dt.datetime | None, scope: Scope) -> FenceEdition:
    """Let an approved draft count from a moment, ``None`` for now, in one act. Raises ``Conflict`` and ``BadInput``."""
    check_duty(scope, APPROVE)
    now = timezone.now()
    begins = from_moment or now
    if begins < now - dt.timedelta(minutes=1):
        raise BadInput("moment_past", "生效时间不能早于现在：已经按原来的围栏判断过了。")
    if begins > now + FARTHEST:
        raise BadInput("moment_far", "生效时间请选在两年以内。")
    begins = max(begins, now)
    said = f"{timezone.localtime(begins):%Y-%m-%d %H:%M}"
    return PUBLISHING.publish(edition_id=edition_id, seen=seen, begins=begins, said=said, scope=scope)


def withdraw_edition(*, edition_id: UUID, scope: Scope) -> FenceEdition:
    """Take back a published edition that has not begun: it is an approved draft again. Raises ``Conflict``."""
    check_duty(scope, APPROVE)
    return PUBLISHING.withdraw(
        edition_id=edition_id, now=timezone.now(), beside=_drafts_beside, said="%Y-%m-%d %H:%M", scope=scope
    )


def discard_draft(*, edition_id: UUID, seen: int, scope: Scope) -> FenceEdition:
    """Throw a draft away with its fences, and return it. Raises ``Conflict`` when it changed since it was ``seen``."""
    return PUBLISHING.discard(edition_id=edition_id, seen=seen, scope=scope)


@transaction.atomic
def roll_back(*, edition_id: UUID, key: UUID, scope: Scope) -> FenceEdition:
    """Let an earlier published edition count again from now, as a new version that says so. Sent twice, it is done once.

    Raises ``Conflict`` for the one that counts now and for one that never counted.
    """
    check_duty(scope, APPROVE)
    earlier = locked_edition(edition_id, scope=scope, duty=APPROVE)
    done = FenceChange.objects.filter(key=key).select_related("edition").first()
    if done is not None:
        return done.edition
    now = timezone.now()
    if earlier.state != EditionState.PUBLISHED or earlier.from_moment is None or earlier.from_moment > now:
        raise Conflict("edition_never_counted", "这一版没有使用过，不能恢复到它。")
    current = edition_at(purpose=earlier.purpose, district_id=earlier.district_id)
    if current is not None and current.pk == earlier.pk:
        raise Conflict("edition_current", "现在用的就是这一版。")
    last = FenceEdition.objects.filter(purpose=earlier.purpose, district=earlier.district_id)
    number = (last.aggregate(last=Max("number"))["last"] or 0) + 1
    edition = FenceEdition.objects.create(
        purpose=earlier.purpose, district=earlier.district, number=number, begun_from=earlier, state=EditionState.PUBLISHED,
        note=f"恢复到第 {earlier.number} 版", from_moment=now, made_by=scope.actor, changed_by=scope.actor,
        published_by=scope.actor, published_at=now,
    )  # fmt: skip
    DRAFTS.copy(earlier, edition)
    FenceChange.objects.create(
        key=key, edition=edition, revision=edition.revision, act="roll_back", said=edition.note, made_by=scope.actor
    )
    _audited("publish", edition, scope, {"from_moment": now.isoformat(), "back_to": earlier.number})
    return edition


def _drafts_beside(row: FenceEdition) -> bool:
    return versions_beside(row).exclude(state=EditionState.PUBLISHED).exists()


def _audited(act: str, edition: FenceEdition, scope: Scope, more: Mapping[str, object]) -> None:
    detail = {
        "purpose": edition.purpose, "district": edition.district_id, "number": edition.number,
        "revision": edition.revision,
    }  # fmt: skip
    record_audit(act=_AUDITED[act], actor=scope.actor, detail={**detail, **more})


_AUDITED: Final = {
    "approve": AuditAct.FENCES_APPROVED, "publish": AuditAct.FENCES_PUBLISHED,
    "withdraw": AuditAct.FENCES_WITHDRAWN, "discard": AuditAct.FENCES_DISCARDED,
}  # fmt: skip
PUBLISHING: Final = Publishing(
    DRAFTS, findings_of, lambda pk, scope: locked_edition(pk, scope=scope), "from_moment", _audited
)
