"""Writes of versions: begin a draft, save it, publish it at once or from a day, take one back, begin again from an older one."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.access.queries import check_duty, holds_citywide
from services.kernel.forms.composing import composition_of, snapshot_of
from services.kernel.forms.library.queries import CONFIGURE
from services.kernel.forms.models import FormVersion, VersionState
from services.kernel.forms.registry import entry_named, form_named
from services.kernel.forms.versions.queries import (
    city_region,
    composed_of,
    region_to_compose,
    version_for,
    version_kept,
)

SINCE_EVER: Final = dt.date(2000, 1, 1)
LONGEST_NOTE: Final = 200
_CHANGED: Final = "您编辑期间有人改过这份草稿。下面是最新内容，请核对后再改。"


@transaction.atomic
def ensure_city_version(*, form: str, entry: str) -> FormVersion:
    """Return the city's newest published version of a form; where there is none, the declared form becomes version 1."""
    spec = form_named(form)
    entry_named(spec, entry)
    city = city_region().region_id
    known = version_for(form=form, entry=entry, region_id=city)
    if known is not None:
        return known
    rows = FormVersion.objects.filter(form=form, entry=entry, region=city)
    number = (rows.aggregate(most=Max("number"))["most"] or 0) + 1
    row = FormVersion(
        form=form, entry=entry, region_id=city, number=number, composition=composition_of(spec, entry),
        made_by="系统", changed_by="系统", published_by="系统", note="系统自带",
    )  # fmt: skip
    row.definition = snapshot_of(composed_of(row).form)
    row.state, row.from_day, row.published_at = VersionState.PUBLISHED, SINCE_EVER, timezone.now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # somebody was quicker
        return FormVersion.objects.get(form=form, entry=entry, region=city, number=number)
    return row


@transaction.atomic
def begin_draft(*, form: str, entry: str, region: str, scope: Scope) -> FormVersion:
    """Return the draft of a region (code) for an entry, begun from the form that counts there where there is none."""
    place = region_to_compose(region, scope=scope)
    known = FormVersion.objects.filter(form=form, entry=entry, region=place.region_id, state=VersionState.DRAFT).first()
    if known is not None:
        return known
    city = ensure_city_version(form=form, entry=entry)
    counts = version_for(form=form, entry=entry, region_id=place.region_id) or city
    return _new_draft(counts, place.region_id, scope)


@transaction.atomic
def begin_again(*, version_id: int, scope: Scope) -> FormVersion:
    """Return a draft with what an older version held. Raises ``Conflict`` while another draft is open."""
    old = version_kept(version_id, scope=scope)
    if FormVersion.objects.filter(form=old.form, entry=old.entry, region=old.region_id, state="draft").exists():
        raise Conflict("draft_open", "已有一份草稿在编辑，请先发布或放弃它，再从旧版开始。")
    return _new_draft(old, old.region_id, scope)


def _new_draft(origin: FormVersion, region_id: int, scope: Scope) -> FormVersion:
    rows = FormVersion.objects.filter(form=origin.form, entry=origin.entry, region=region_id)
    number = (rows.aggregate(most=Max("number"))["most"] or 0) + 1
    composition = copy.deepcopy(origin.composition)
    try:
        with transaction.atomic():
            return FormVersion.objects.create(
                form=origin.form, entry=origin.entry, region_id=region_id, number=number, composition=composition,
                made_by=scope.actor, changed_by=scope.actor,
            )  # fmt: skip
    except IntegrityError:
        return FormVersion.objects.get(form=origin.form, entry=origin.entry, region=region_id, state=VersionState.DRAFT)


@transaction.atomic
def save_draft(*, version_id: int, composition: Mapping[str, Any], seen: int, scope: Scope) -> FormVersion:
    """Keep what a draft is arranged to. It may be wrong still: it is judged when it is published.

    Raises ``Conflict`` when somebody changed it since ``seen``, and for a version that is no draft.
    """
    row = _locked_draft(version_id, seen, scope)
    if row.region_id != city_region().region_id and _fixed(composition) != _fixed(row.composition):
        raise BadInput("fixed_refused", "“全市必采”的项由市级设置，各区不能去掉，也不能增减。")
    row.composition = dict(composition)
    return _changed(row, scope)


@transaction.atomic
def publish_version(
    *, version_id: int, seen: int, from_day: dt.date | None = None, note: str = "", scope: Scope
) -> FormVersion:
    """Publish a draft: it counts from a day, today where none is named. From then on it never changes.

    Raises ``BadInput`` with all problems of the draft, ``Conflict`` when somebody changed it.
    """
    row = _locked_draft(version_id, seen, scope)
    today = timezone.localdate()
    day = from_day or today
    if day < today:
        raise BadInput("from_day_past", "启用日期不能早于今天。")
    if day > today + dt.timedelta(days=366):
        raise BadInput("from_day_far", "启用日期最远到一年以后。")
    composed = composed_of(row)
    if composed.problems:
        said = [each.sentence for each in composed.problems]
        raise BadInput("form_problems", f"还有 {len(said)} 处要改，改好才能发布：{said[0]}", problems=said)
    row.definition = snapshot_of(composed.form)
    row.state, row.from_day, row.note = VersionState.PUBLISHED, day, note.strip()[:LONGEST_NOTE]
    row.published_by, row.published_at = scope.actor, timezone.now()
    return _changed(row, scope)


@transaction.atomic
def withdraw_version(*, version_id: int, scope: Scope) -> FormVersion:
    """Take a published version back: the one before it counts again, or the form of the region above.

    What is being filled in by it may still be handed in for the form's grace.
    """
    row = FormVersion.objects.select_for_update().get(pk=version_kept(version_id, scope=scope).pk)
    if row.state != VersionState.PUBLISHED:
        raise Conflict("version_not_published", "这一版没有在用，不用撤回。")
    city = city_region().region_id
    others = FormVersion.objects.filter(form=row.form, entry=row.entry, region=city, state=VersionState.PUBLISHED)
    if row.region_id == city and not others.exclude(pk=row.pk).filter(from_day__lte=timezone.localdate()).exists():
        raise Conflict("last_city_version", "这是全市唯一在用的一版，撤回后家长就没有表单可填。请先发布新版。")
    row.state, row.withdrawn_by, row.withdrawn_at = VersionState.WITHDRAWN, scope.actor, timezone.now()
    return _changed(row, scope)


@transaction.atomic
def discard_draft(*, version_id: int, seen: int, scope: Scope) -> None:
    """Throw a draft away. Raises ``Conflict`` when somebody changed it since ``seen``."""
    _locked_draft(version_id, seen, scope).delete()


def _locked_draft(version_id: int, seen: int, scope: Scope) -> FormVersion:
    check_duty(scope, CONFIGURE)
    row = FormVersion.objects.select_for_update().get(pk=version_kept(version_id, scope=scope).pk)
    if row.state != VersionState.DRAFT:
        raise Conflict("version_fixed", "这一版已经发布，不能再改。请从它新建草稿。")
    if row.version != seen:
        raise Conflict("draft_changed", f"{row.changed_by} 刚改过。{_CHANGED}", version=row.version)
    if row.region_id == city_region().region_id and not holds_citywide(scope, CONFIGURE):
        raise Conflict("city_form", "全市表单由市级管理员配置。")
    return row


def _changed(row: FormVersion, scope: Scope) -> FormVersion:
    row.version += 1
    row.changed_by = scope.actor
    row.save()
    return row


def _fixed(composition: Mapping[str, Any]) -> set[str]:
    """Return the keys that a composition marks as kept by the city."""
    sections = composition.get("sections", ())
    return {item["key"] for one in sections for item in one.get("items", ()) if item.get("fixed")}
