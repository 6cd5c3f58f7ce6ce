"""How rules return to an earlier version: it is published anew, from today on; what was decided meanwhile stays decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.kernel.rules.actions import open_draft, publish_version, take_back
from services.kernel.rules.models import DecisionRecord, RuleState, RuleVersion


@transaction.atomic
def restore_rules(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Publish the version before a published one as a new one; where there was none, the region above decides again."""
    row = _published(pk)
    code, earlier = _code(row.region_id), _earlier(row)
    if earlier is None or not earlier.active:
        take_back(key=row.rule_set, region=code, from_day=timezone.localdate(), reason=reason, scope=scope)
        return
    rules = RuleVersion.objects.filter(rule_set=row.rule_set, region=row.region_id)
    if rules.exclude(state=RuleState.PUBLISHED).exists():
        raise Conflict("draft_open", "这里有一份没有发布的草稿，请先发布或放弃它，再回退。")
    draft = open_draft(key=row.rule_set, region=code, scope=scope, source=earlier.pk)
    publish_version(
        version_id=draft.pk, seen=draft.revision, from_day=timezone.localdate(), reason=reason, accept=True, scope=scope
    )


def rule_findings(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what should be known before. Raises ``Conflict`` for a version that is not the last published one."""
    row = _published(pk)
    newer = RuleVersion.objects.filter(
        rule_set=row.rule_set, region=row.region_id, state=RuleState.PUBLISHED, number__gt=row.number
    )
    if last := newer.order_by("-number").first():
        raise Conflict("rules_changed", f"之后又发布了第 {last.number} 版，请从最新发布的一版开始回退。")
    earlier, found = _earlier(row), []
    decided = DecisionRecord.objects.filter(version=row).count()
    if decided:
        found.append(f"按第 {row.number} 版已作出 {decided} 次判断，回退不改变已有的结果。")
    if earlier is None or not earlier.active:
        return [*found, "之前没有单独的规则，回退后沿用上级的规则。"]
    return [*found, f"将把第 {earlier.number} 版的内容作为新的一版发布，从今天起生效。"]


def _published(pk: str) -> RuleVersion:
    row = RuleVersion.objects.filter(pk=UUID(pk)).first()
    if row is None:
        raise NotFound("version_unknown", "没有找到这一版规则，草稿可能已经放弃。")
    if row.state != RuleState.PUBLISHED:
        raise Conflict("version_draft", "这一版还是草稿，没有生效，不用回退。可以在规则页面放弃它。")
    return row


def _earlier(row: RuleVersion) -> RuleVersion | None:
    rows = RuleVersion.objects.filter(rule_set=row.rule_set, region=row.region_id, state=RuleState.PUBLISHED)
    return rows.filter(number__lt=row.number).order_by("-number").first()


def _code(region_id: int) -> str:
    codes = RegionVersion.objects.filter(edition__state="published", region=region_id).values_list("code", flat=True)
    return str(codes.first() or "")
