"""Writes of rule sets: drafts and their cells, checking, publishing from a day, taking back.

A draft is never overwritten unseen: who saves names the revision they saw. What is published never changes.
"""

from __future__ import annotations

import datetime as dt
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
from services.kernel.rules.deciding.differences import Change, changes_between
from services.kernel.rules.deciding.findings import Finding
from services.kernel.rules.deciding.sheets import Sheet, check_shape, sheet_of, starting_sheet
from services.kernel.rules.models import RuleEdit, RuleState, RuleVersion
from services.kernel.rules.queries import findings_for, region_kept, sheet_kept, version_for, version_seen
from services.kernel.rules.registry import rule_set_named


@transaction.atomic
def open_draft(*, key: str, region: str, scope: Scope, source: UUID | None = None) -> RuleVersion:
    """Return the draft of a rule set in a region (code); a new one begins with ``source``, or the rules that hold there now."""
    spec = rule_set_named(key)
    place = region_kept(region, scope=scope, duty=spec.duty)
    own = RuleVersion.objects.select_for_update().filter(rule_set=key, region=place.region_id)
    draft = own.exclude(state=RuleState.PUBLISHED).first()
    if draft is not None:
        return draft
    begins = (
        version_seen(source, scope=scope)
        if source
        else version_for(key, region_id=place.region_id, on=timezone.localdate())
    )
    sheet = sheet_of(begins.sheet, spec) if begins and begins.sheet else starting_sheet(spec)
    try:
        with transaction.atomic():
            return RuleVersion.objects.create(
                rule_set=key, region_id=place.region_id, number=_next_number(key, place.region_id), sheet=sheet.data(),
                made_by=scope.actor, changed_by=scope.actor,
            )  # fmt: skip
    except IntegrityError:  # somebody opened one at the same moment: it is theirs and ours
        return own.exclude(state=RuleState.PUBLISHED).get()


@transaction.atomic
def save_sheet(*, version_id: UUID, sheet: Sheet, seen: int, scope: Scope) -> RuleVersion:
    """Keep the table of a draft as its next revision, and who changed which cells; cells may be wrong until it is checked.

    Raises ``Conflict`` when somebody saved since the revision that was ``seen``; its detail says who and what.
    """
    draft = _draft(version_id, scope)
    spec = rule_set_named(draft.rule_set)
    check_shape(sheet, spec)
    if draft.revision != seen:
        raise Conflict(
            "draft_changed",
            f"您编辑期间，{draft.changed_by} 保存了这份草稿。请先核对对方的改动，再决定保存您的内容。",
            newest=draft.revision,
            by=draft.changed_by,
        )
    changes = changes_between(sheet_of(draft.sheet, spec), sheet)
    if not changes:
        return draft
    draft.sheet, draft.state = sheet.data(), RuleState.DRAFT
    draft.revision += 1
    draft.changed_by = scope.actor
    draft.save(update_fields=["sheet", "state", "revision", "changed_by", "changed_at"])
    RuleEdit.objects.create(
        version=draft, revision=draft.revision, changes=[change.data() for change in changes], made_by=scope.actor
    )
    audit_rules(AuditAct.RULE_CHANGED, draft, scope, cells=len(changes))
    return draft


@transaction.atomic
def check_draft(*, version_id: UUID, scope: Scope) -> tuple[RuleVersion, list[Finding]]:
    """Look a draft through; without errors it becomes checked, until somebody changes it. Return it and what was found."""
    draft = _draft(version_id, scope)
    found = findings_for(draft)
    draft.state = RuleState.DRAFT if any(each.level == "error" for each in found) else RuleState.CHECKED
    draft.save(update_fields=["state"])
    return draft, found


@transaction.atomic
def publish_version(
    *, version_id: UUID, seen: int, from_day: dt.date, reason: str, accept: bool, scope: Scope
) -> RuleVersion:
    """Let a checked draft hold from a day, today at the earliest. ``accept`` says that warnings were seen and are meant.

    Raises ``Conflict`` for a draft that changed or is not checked, ``BadInput`` for errors, unread warnings or a day gone by.
    """
    draft, found = check_draft(version_id=version_id, scope=scope)
    if draft.revision != seen:
        raise Conflict(
            "draft_changed", f"{draft.changed_by} 刚改过这份草稿，请刷新后核对，再发布。", newest=draft.revision
        )
    errors = [each for each in found if each.level == "error"]
    if errors:
        raise BadInput(
            "rules_flawed", f"还有 {len(errors)} 处错误没有改好，改好后就能发布。第一处：{errors[0].message}"
        )
    if not accept and any(each.level == "warning" for each in found):
        raise BadInput("rules_doubtful", "检查出了要留意的情况，请看过后勾选“我已核对”，再发布。")
    _check_day(from_day)
    if not reason.strip():
        raise BadInput("reason_missing", "请写一句为什么改，方便以后查看。")
    return _publish(draft, from_day, reason, scope)


@transaction.atomic
def take_back(*, key: str, region: str, from_day: dt.date, reason: str, scope: Scope) -> RuleVersion:
    """Let a region's own rules end: from a day on, those of the next region above hold. Its versions stay."""
    spec = rule_set_named(key)
    place = region_kept(region, scope=scope, duty=spec.duty)
    _check_day(from_day)
    holds = version_for(key, region_id=place.region_id, on=from_day)
    if holds is None or holds.region_id != place.region_id:
        raise Conflict("rules_absent", "这里没有单独的规则，已在沿用上级的规则。")
    if not reason.strip():
        raise BadInput("reason_missing", "请写一句为什么停用，方便以后查看。")
    number = _next_number(key, place.region_id)
    ending = RuleVersion(
        rule_set=key,
        region_id=place.region_id,
        number=number,
        active=False,
        made_by=scope.actor,
        changed_by=scope.actor,
    )
    return _publish(ending, from_day, reason, scope)


@transaction.atomic
def discard_draft(*, version_id: UUID, seen: int, scope: Scope) -> RuleVersion:
    """Throw a draft away with its trials, and return it. Raises ``Conflict`` when it changed since it was ``seen``."""
    draft = _draft(version_id, scope)
    if draft.revision != seen:
        raise Conflict(
            "draft_changed", f"{draft.changed_by} 刚改过这份草稿，请刷新后核对，再放弃。", newest=draft.revision
        )
    audit_rules(AuditAct.RULE_DISCARDED, draft, scope)
    RuleVersion.objects.filter(pk=draft.pk).delete()
    return draft


def changes_since_published(draft: RuleVersion) -> list[Change]:
    """Return what a version changes against the one before it in its region; against nothing, every row is new."""
    before = (
        RuleVersion.objects.filter(
            rule_set=draft.rule_set, region=draft.region_id, number__lt=draft.number, active=True
        )
        .order_by("-number")
        .first()
    )
    after = sheet_kept(draft)
    return changes_between(sheet_kept(before) if before else Sheet(after.asks, after.gives), after)


def _publish(version: RuleVersion, from_day: dt.date, reason: str, scope: Scope) -> RuleVersion:
    version.state, version.from_day, version.reason = RuleState.PUBLISHED, from_day, reason.strip()[:300]
    version.published_by, version.published_at = scope.actor, timezone.now()
    version.save()
    act = AuditAct.RULE_PUBLISHED if version.active else AuditAct.RULE_ENDED
    audit_rules(act, version, scope, from_day=from_day.isoformat(), reason=version.reason)
    return version


def audit_rules(act: AuditAct, version: RuleVersion, scope: Scope, **detail: object) -> None:
    """Write down what somebody did to a version of a rule set; it enters the log that cannot be altered unseen."""
    of = {
        "rules": version.rule_set,
        "number": version.number,
        "region": version.region_id,
        "revision": version.revision,
    }
    record_audit(act=act, actor=scope.actor, detail={**of, **detail})


def _check_day(day: dt.date) -> None:
    today = timezone.localdate()
    if day < today:
        raise BadInput("day_past", "生效日期不能早于今天：已经按原规则办的不能改。")
    if day > today + dt.timedelta(days=730):
        raise BadInput("day_far", "生效日期请选在两年以内。")


def _next_number(key: str, region_id: int) -> int:
    last = RuleVersion.objects.filter(rule_set=key, region=region_id).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def _draft(version_id: UUID, scope: Scope) -> RuleVersion:
    seen = version_seen(version_id, scope=scope)
    check_duty(scope, rule_set_named(seen.rule_set).duty)
    version = RuleVersion.objects.select_for_update().filter(within(scope)).get(pk=version_id)
    if version.state == RuleState.PUBLISHED:
        raise Conflict("version_published", "这个版本已经发布，不能再改。请从它新建一份草稿。")
    return version
