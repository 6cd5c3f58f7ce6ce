"""How a form returns to an earlier version: it is published anew; what was filled in meanwhile keeps its own version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from geo.errors import Conflict, NotFound
from geo.scope import Scope
from services.kernel.forms.models import FormVersion, Submission, VersionState
from services.kernel.forms.versions.actions import begin_again, publish_version, withdraw_version


@transaction.atomic
def restore_form(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any], scope: Scope, reason: str) -> None:
    """Publish the version before a published one as a new one; where there was none, take this one back.

    Undoes the taking back of a version by publishing what it held anew.
    """
    row = _settled(pk)
    earlier = row if row.state == VersionState.WITHDRAWN else _earlier(row)
    if earlier is None:
        withdraw_version(version_id=row.pk, scope=scope)
        return
    draft = begin_again(version_id=earlier.pk, scope=scope)
    publish_version(version_id=draft.pk, seen=draft.version, note=f"回退：{reason}", scope=scope)


def form_findings(*, pk: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what should be known before. Raises ``Conflict`` for a version that is not the last published one."""
    row = _settled(pk)
    rows = FormVersion.objects.filter(form=row.form, entry=row.entry, region=row.region_id)
    if last := rows.filter(state=VersionState.PUBLISHED, number__gt=row.number).order_by("-number").first():
        raise Conflict("form_changed", f"之后又发布了第 {last.number} 版，请从最新发布的一版开始回退。")
    if rows.filter(state=VersionState.DRAFT).exists():
        raise Conflict("draft_open", "这里有一份没有发布的草稿，请先发布或放弃它，再回退。")
    found, filled = [], Submission.objects.filter(form_version=row).count()
    if filled:
        found.append(f"有 {filled} 份填报用的是第 {row.number} 版，它们仍按这一版保存。")
    earlier = row if row.state == VersionState.WITHDRAWN else _earlier(row)
    if earlier is None:
        return [*found, "之前没有单独的表单，回退后使用上级的表单。"]
    return [*found, f"将把第 {earlier.number} 版的内容作为新的一版发布，从今天起使用。"]


def _settled(pk: str) -> FormVersion:
    row = FormVersion.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound("version_unknown", "没有找到这一版表单，草稿可能已经放弃。")
    if row.state == VersionState.DRAFT:
        raise Conflict("version_draft", "这一版还是草稿，没有启用，不用回退。可以在表单页面放弃它。")
    return row


def _earlier(row: FormVersion) -> FormVersion | None:
    rows = FormVersion.objects.filter(form=row.form, entry=row.entry, region=row.region_id)
    return rows.filter(state=VersionState.PUBLISHED, number__lt=row.number).order_by("-number").first()
