"""Writes of editions as a whole: begin a draft, check it, approve and publish it from a day, take back what is only scheduled.

What is published never changes while it counts; an edition that has not begun may be taken back to be changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, cast
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput
from geo.fences.publishing import Publishing
from geo.regions.queries import within
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.catchments.changes import DRAFTS, EDITION_FIELDS
from services.catchments.checking import EditionFinding, findings_of
from services.catchments.entries import entry_point
from services.catchments.models import CatchmentEdition, EditionState
from services.catchments.queries import APPROVE, EDIT, district_seen, edition_seen

FARTHEST_DAYS: Final = 730


@transaction.atomic
def open_draft(*, year: int, district: str, entry: str, scope: Scope, source: UUID | None = None) -> CatchmentEdition:
    """Return the draft of a year, district (code) and entry; a new one is empty, or begins with the edition ``source``.

    Raises ``BadInput`` without a district, for another year or entry, or for a ``source`` of another district or entry.
    """
    if not district:
        raise BadInput("district_missing", "请选一个区：每个对口版本属于一个区。")
    asked = entry_point(entry)
    if asked is None:
        raise BadInput("entry_unknown", "请选报名入口。")
    if not timezone.localdate().year - 10 <= year <= timezone.localdate().year + 2:
        raise BadInput("year_invalid", "招生年份要在十年前到后年之间，请核对。")
    region = district_seen(district, scope=scope, duty=EDIT).region_id
    own = CatchmentEdition.objects.select_for_update().filter(year=year, district=region, entry=entry)
    if draft := own.exclude(state=EditionState.PUBLISHED).first():
        return draft
    begins = edition_seen(source, scope=scope) if source else None
    if begins and (begins.district_id, begins.entry) != (region, entry):
        raise BadInput("source_unlike", "只能从同一个区、同一个入口的版本开始，请重新选。")
    if begins and begins.state != EditionState.PUBLISHED:
        raise BadInput("source_draft", "只能从已发布的版本开始。请先发布那一版，或从空白开始。")
    try:
        with transaction.atomic():
            return _begun(year, region, entry, begins, scope)
    except IntegrityError:  # somebody opened one at the same moment: it is theirs and ours
        return own.exclude(state=EditionState.PUBLISHED).get()


def _begun(year: int, district_id: int, entry: str, begins: CatchmentEdition | None, scope: Scope) -> CatchmentEdition:
    asked = entry_point(entry)
    kept = {name: getattr(begins, name) for name in EDITION_FIELDS} if begins else {}
    if not kept and asked:
        # the nearest always finds something: a district says so itself, never by leaving it unsaid
        kept = {"steps": [mode for mode in asked.modes if mode != "nearest"]}
    last = CatchmentEdition.objects.filter(year=year, district=district_id, entry=entry).aggregate(last=Max("number"))
    draft = CatchmentEdition.objects.create(
        year=year, district_id=district_id, entry=entry, number=(last["last"] or 0) + 1, begun_from=begins,
        made_by=scope.actor, changed_by=scope.actor, **kept,
    )  # fmt: skip
    said = "从空白开始"
    if begins:
        DRAFTS.copy(begins, draft)
        said = f"从 {begins.year} 年第 {begins.number} 版开始"
    PUBLISHING.begun(draft, "begin", said, scope)
    return draft


def check_draft(*, edition_id: UUID, scope: Scope) -> tuple[CatchmentEdition, list[EditionFinding]]:
    """Look a draft through; without errors it becomes checked, until somebody changes it. Return it and what was found."""
    check_duty(scope, EDIT)
    draft, found = PUBLISHING.check(edition_id=edition_id, scope=scope)
    return draft, cast(list[EditionFinding], found)


def approve_draft(*, edition_id: UUID, seen: int, accept: bool, scope: Scope) -> CatchmentEdition:
    """Approve a checked draft; not by the one who changed it last. ``accept`` says that warnings were seen and are meant."""
    check_duty(scope, APPROVE)
    return PUBLISHING.approve(edition_id=edition_id, seen=seen, accept=accept, scope=scope)


def publish_edition(*, edition_id: UUID, seen: int, from_day: dt.date, scope: Scope) -> CatchmentEdition:
    """Let an approved draft count from a day, today at the earliest, in one act. Raises ``Conflict`` and ``BadInput``."""
    check_duty(scope, APPROVE)
    today = timezone.localdate()
    if from_day < today:
        raise BadInput("day_past", "生效日期不能早于今天：家长已经按原来的规则查过了。")
    if from_day > today + dt.timedelta(days=FARTHEST_DAYS):
        raise BadInput("day_far", "生效日期请选在两年以内。")
    said = f"{from_day:%Y-%m-%d}"
    return PUBLISHING.publish(edition_id=edition_id, seen=seen, begins=from_day, said=said, scope=scope)


def withdraw_edition(*, edition_id: UUID, scope: Scope) -> CatchmentEdition:
    """Take back a published edition that has not begun: it is an approved draft again.

    Raises ``Conflict`` for one that has begun, or beside which there is another draft.
    """
    check_duty(scope, APPROVE)
    now = timezone.localdate()
    return PUBLISHING.withdraw(edition_id=edition_id, now=now, beside=_drafts_beside, said="%Y-%m-%d", scope=scope)


def discard_draft(*, edition_id: UUID, seen: int, scope: Scope) -> CatchmentEdition:
    """Throw a draft away with its rules and areas, and return it. Raises ``Conflict`` when it changed since it was ``seen``."""
    return PUBLISHING.discard(edition_id=edition_id, seen=seen, scope=scope)


def _drafts_beside(row: CatchmentEdition) -> bool:
    beside = CatchmentEdition.objects.filter(year=row.year, district=row.district_id, entry=row.entry)
    return beside.exclude(state=EditionState.PUBLISHED).exists()


def _locked(edition_id: UUID, scope: Scope) -> CatchmentEdition:
    edition_seen(edition_id, scope=scope)
    return CatchmentEdition.objects.select_for_update().filter(within(scope, "district")).get(pk=edition_id)


def _audited(act: str, edition: CatchmentEdition, scope: Scope, more: Mapping[str, object]) -> None:
    detail = {
        "year": edition.year, "district": edition.district_id, "entry": edition.entry, "number": edition.number,
        "revision": edition.revision,
    }  # fmt: skip
    record_audit(act=_AUDITED[act], actor=scope.actor, detail={**detail, **more})


_AUDITED: Final = {
    "approve": AuditAct.CATCHMENT_APPROVED, "publish": AuditAct.CATCHMENT_PUBLISHED,
    "withdraw": AuditAct.CATCHMENT_WITHDRAWN, "discard": AuditAct.CATCHMENT_DISCARDED,
}  # fmt: skip
PUBLISHING: Final = Publishing(DRAFTS, findings_of, _locked, "from_day", _audited)
