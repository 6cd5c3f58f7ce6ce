"""Writes of editions as a whole: begin a draft, check it, approve and publish it from a day, take back what is only scheduled.

What is published never changes while it counts; an edition that has not begun may be taken back to be changed.
"""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.regions.queries import within
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_duty
from services.catchments.changes import EDITION_FIELDS, locked_draft
from services.catchments.checking import EditionFinding, findings_of, tally
from services.catchments.entries import entry_point
from services.catchments.models import CatchmentArea, CatchmentEdition, EditionChange, EditionState, MatchRule
from services.catchments.queries import APPROVE, EDIT, district_seen, edition_seen
from services.crypto.identifiers import new_id

FARTHEST_DAYS: Final = 730
_AT_ONCE: Final = 2_000


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
        _copy(begins, draft)
        said = f"从 {begins.year} 年第 {begins.number} 版开始"
    EditionChange.objects.create(
        key=new_id(), edition=draft, revision=draft.revision, act="begin", said=said, made_by=scope.actor
    )
    return draft


def _copy(begins: CatchmentEdition, draft: CatchmentEdition) -> None:
    rules, areas = list(begins.rules.all()), list(begins.areas.all())
    for rule in rules:
        rule.pk, rule.edition, rule._state.adding = None, draft, True
    for area in areas:
        area.pk, area.edition, area._state.adding = None, draft, True
    MatchRule.objects.bulk_create(rules, batch_size=_AT_ONCE)
    CatchmentArea.objects.bulk_create(areas, batch_size=_AT_ONCE)


@transaction.atomic
def check_draft(*, edition_id: UUID, scope: Scope) -> tuple[CatchmentEdition, list[EditionFinding]]:
    """Look a draft through; without errors it becomes checked, until somebody changes it. Return it and what was found."""
    draft = locked_draft(edition_id, scope=scope)
    found = findings_of(draft)
    if draft.state != EditionState.APPROVED or tally(found)["error"]:
        passed = not tally(found)["error"]
        draft.state = EditionState.CHECKED if passed else EditionState.DRAFT
        draft.checked_by, draft.approved_by = scope.actor if passed else "", ""
        draft.save(update_fields=["state", "checked_by", "approved_by"])
    return draft, found


@transaction.atomic
def approve_draft(*, edition_id: UUID, seen: int, accept: bool, scope: Scope) -> CatchmentEdition:
    """Approve a checked draft; not by the one who changed it last. ``accept`` says that warnings were seen and are meant.

    Raises ``Conflict`` for a draft that changed, is not checked, or is one's own; ``BadInput`` for errors and unread warnings.
    """
    draft = _seen_draft(edition_id, seen, scope)
    if draft.state == EditionState.APPROVED:
        return draft
    if draft.state != EditionState.CHECKED:
        raise Conflict("edition_unchecked", "这份草稿还没有通过检查。请先点“检查”。")
    if draft.changed_by == scope.actor:
        raise Conflict("same_person", "最后修改这份草稿的是您自己。请另一位有批准权限的同事来批准，两个人看过才发布。")
    found = findings_of(draft)
    _refuse_errors(found)
    if tally(found)["warning"] and not accept:
        raise BadInput("edition_doubtful", "检查出了要留意的情况，请看过后勾选“我已核对”，再批准。")
    draft.state, draft.approved_by = EditionState.APPROVED, scope.actor
    _note(draft, "approve", "批准", scope)
    record_audit(act=AuditAct.CATCHMENT_APPROVED, actor=scope.actor, detail=_of(draft))
    return draft


@transaction.atomic
def publish_edition(*, edition_id: UUID, seen: int, from_day: dt.date, scope: Scope) -> CatchmentEdition:
    """Let an approved draft count from a day, today at the earliest, in one act. Raises ``Conflict`` and ``BadInput``."""
    draft = _seen_draft(edition_id, seen, scope)
    if draft.state != EditionState.APPROVED:
        raise Conflict("edition_unapproved", "这份草稿还没有批准。请先检查，再由另一位同事批准。")
    _refuse_errors(findings_of(draft))
    today = timezone.localdate()
    if from_day < today:
        raise BadInput("day_past", "生效日期不能早于今天：家长已经按原来的规则查过了。")
    if from_day > today + dt.timedelta(days=FARTHEST_DAYS):
        raise BadInput("day_far", "生效日期请选在两年以内。")
    draft.state, draft.from_day = EditionState.PUBLISHED, from_day
    draft.published_by, draft.published_at = scope.actor, timezone.now()
    _note(draft, "publish", f"发布，自 {from_day:%Y-%m-%d} 起使用", scope)
    record_audit(
        act=AuditAct.CATCHMENT_PUBLISHED, actor=scope.actor, detail=_of(draft) | {"from_day": from_day.isoformat()}
    )
    return draft


@transaction.atomic
def withdraw_edition(*, edition_id: UUID, scope: Scope) -> CatchmentEdition:
    """Take back a published edition that has not begun: it is an approved draft again.

    Raises ``Conflict`` for one that has begun, or beside which there is another draft.
    """
    edition_seen(edition_id, scope=scope, duty=APPROVE)
    row = CatchmentEdition.objects.select_for_update().filter(within(scope, "district")).get(pk=edition_id)
    if row.state != EditionState.PUBLISHED or row.from_day is None:
        raise Conflict("edition_unpublished", "这个版本还没有发布，不用撤回。")
    if row.from_day <= timezone.localdate():
        raise Conflict("edition_begun", "这个版本已经在使用，不能撤回。要改就从它新建一份草稿，再发布。")
    beside = CatchmentEdition.objects.filter(year=row.year, district=row.district_id, entry=row.entry)
    if beside.exclude(state=EditionState.PUBLISHED).exists():
        raise Conflict("draft_open", "同一年、同一入口还有一份草稿，请先放弃它，再撤回这一版。")
    day, row.from_day = row.from_day, None
    row.state, row.published_by, row.published_at = EditionState.APPROVED, "", None
    _note(row, "withdraw", f"撤回，原定 {day:%Y-%m-%d} 起使用", scope)
    record_audit(act=AuditAct.CATCHMENT_WITHDRAWN, actor=scope.actor, detail=_of(row))
    return row


@transaction.atomic
def discard_draft(*, edition_id: UUID, seen: int, scope: Scope) -> CatchmentEdition:
    """Throw a draft away with its rules and areas, and return it. Raises ``Conflict`` when it changed since it was ``seen``."""
    draft = locked_draft(edition_id, scope=scope)
    _check_seen(draft, seen)
    record_audit(act=AuditAct.CATCHMENT_DISCARDED, actor=scope.actor, detail=_of(draft))
    # one that was published, begun from and taken back: what began with it goes back to where that came from
    CatchmentEdition.objects.filter(begun_from=draft).update(begun_from=draft.begun_from_id)
    draft.changes.update(undoes=None)  # an act that undid another protects it, even where both go
    CatchmentEdition.objects.filter(pk=draft.pk).delete()
    return draft


def _seen_draft(edition_id: UUID, seen: int, scope: Scope) -> CatchmentEdition:
    check_duty(scope, APPROVE)
    draft = locked_draft(edition_id, scope=scope, duty=APPROVE)
    _check_seen(draft, seen)
    return draft


def _check_seen(draft: CatchmentEdition, seen: int) -> None:
    if draft.revision != seen:
        raise Conflict(
            "edition_changed",
            f"{draft.changed_by} 刚改过这份草稿。请核对下面的最新内容，再继续。",
            newest=draft.revision,
        )


def _refuse_errors(found: list[EditionFinding]) -> None:
    errors = [each for each in found if each.level == "error"]
    if errors:
        raise BadInput("edition_flawed", f"还有 {len(errors)} 处错误没有改好。第一处：{errors[0].message}")


def _note(edition: CatchmentEdition, act: str, said: str, scope: Scope) -> None:
    """Keep an act on the state of an edition among its changes; it changes no rule."""
    edition.revision += 1
    edition.save()
    EditionChange.objects.create(
        key=new_id(), edition=edition, revision=edition.revision, act=act, said=said, made_by=scope.actor
    )


def _of(edition: CatchmentEdition) -> dict[str, object]:
    return {
        "year": edition.year, "district": edition.district_id, "entry": edition.entry, "number": edition.number,
        "revision": edition.revision,
    }  # fmt: skip
