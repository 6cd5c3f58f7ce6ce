"""Writes of notices: write, change, publish, withdraw. Each asks for ``notices.edit`` over the notice's region."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.access.roles import roles
from services.kernel.messages.notices.models import Notice, NoticeState
from services.kernel.messages.notices.queries import notices_kept

LONGEST_TITLE = 80
LONGEST_BODY = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """What an editor writes: title, body with light markup, region (code), roles meant (none: all), and whether all may read."""

    title: str
    body: str
    region: str
    roles: Sequence[str] = ()
    public: bool = False
    until: dt.datetime | None = None


def regions_to_write_for(*, scope: Scope) -> list[RegionVersion]:
    """Return the city, districts and streets a scope may write for, coarse before fine."""
    return list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district", "street")))


def region_to_write_for(code: str, *, scope: Scope) -> RegionVersion:
    """Return one of them by its code. Raises ``Forbidden``."""
    found = versions_of(scope=scope).filter(within(scope), code=code).first()
    if found is None:
        raise Forbidden("region_outside_scope", "这个区划不在您的管辖范围内，请选自己管辖的区划。")
    return found


@transaction.atomic
def write_notice(*, written: Written, scope: Scope) -> Notice:
    """Keep a new notice as a draft, and return it."""
    check_duty(scope, "notices.edit")
    notice = Notice(made_by=scope.actor)
    _fill(notice, written, scope)
    notice.save(force_insert=True)
    return notice


@transaction.atomic
def change_notice(*, notice_id: UUID, written: Written, version: int, scope: Scope) -> Notice:
    """Change a notice in any state; a published one shows its new text at once.

    Raises ``Conflict`` when somebody changed it since its editor saw ``version``.
    """
    notice = _locked(notice_id, version, scope)
    _fill(notice, written, scope)
    return _save(notice)


@transaction.atomic
def publish_notice(*, notice_id: UUID, version: int, scope: Scope, at: dt.datetime | None = None) -> Notice:
    """Publish a notice now, or at a moment (aware); one that was withdrawn may be published again."""
    notice = _locked(notice_id, version, scope)
    now = timezone.now()
    if notice.state == NoticeState.PUBLISHED and notice.shows_from and notice.shows_from <= now:
        raise Conflict("notice_published", "这条公告已经发布。")
    moment = max(at, now) if at else now
    if notice.shows_until and notice.shows_until <= moment:
        raise BadInput("notice_ends_early", "结束时间早于发布时间，请先修改结束时间。")
    notice.state, notice.shows_from, notice.changed_by = NoticeState.PUBLISHED, moment, scope.actor
    return _save(notice)


@transaction.atomic
def withdraw_notice(*, notice_id: UUID, version: int, scope: Scope) -> Notice:
    """Take a published notice back, also one that does not show yet."""
    notice = _locked(notice_id, version, scope)
    if notice.state != NoticeState.PUBLISHED:
        raise Conflict("notice_not_published", "这条公告没有发布，不用撤回。")
    notice.state, notice.changed_by = NoticeState.WITHDRAWN, scope.actor
    return _save(notice)


def _locked(notice_id: UUID, version: int, scope: Scope) -> Notice:
    check_duty(scope, "notices.edit")
    if not notices_kept(scope=scope).filter(pk=notice_id).exists():
        raise NotFound("notice_unknown", "没有找到这条公告，或者它不在您的管辖范围内。")
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.version != version:
        raise Conflict(
            "notice_changed", "您编辑期间有人改过这条公告。请刷新后核对，再保存您的改动。", version=notice.version
        )
    return notice


def _fill(notice: Notice, written: Written, scope: Scope) -> None:
    title, body = written.title.strip(), written.body.strip()
    if not title or not body:
        raise BadInput("notice_empty", "请写标题和正文。")
    if len(title) > LONGEST_TITLE or len(body) > LONGEST_BODY:
        raise BadInput("notice_too_long", f"标题最多 {LONGEST_TITLE} 字，正文最多 {LONGEST_BODY} 字。")
    unknown = set(written.roles) - {role.key for role in roles()}
    if unknown:
        raise BadInput("role_unknown", "没有这个角色，请重新选择。")
    if written.until and written.until <= timezone.now():
        raise BadInput("notice_ends_early", "结束时间要晚于现在。")
    notice.title, notice.body, notice.public = title, body, written.public
    notice.region_id = region_to_write_for(written.region, scope=scope).region_id
    notice.roles = [role.key for role in roles() if role.key in set(written.roles)]
    notice.shows_until, notice.changed_by = written.until, scope.actor


def _save(notice: Notice) -> Notice:
    notice.version += 1
    with pghistory.context(actor=notice.changed_by):
        notice.save()
    return notice
