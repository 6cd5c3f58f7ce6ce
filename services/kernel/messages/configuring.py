"""Writes of what regions choose: their own texts, triggers and channels, quiet hours.

A text is never overwritten: who saves names the version they saw, and a newer one refuses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import cast

from django.db import IntegrityError, transaction

from geo.errors import BadInput, Conflict, Forbidden
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.messages.models import EventChoice, SendingRule, TemplateVersion
from services.kernel.messages.registry import choice_named, event_named
from services.kernel.messages.spec import CHANNELS, Channel
from services.kernel.messages.texts import check_text

MOST_A_DAY = 100


def region_to_configure(code: str, *, scope: Scope) -> RegionVersion:
    """Return a region (by code) whose messages the scope may configure: a city or district of its own. Raises ``Forbidden``."""
    check_duty(scope, "messages.configure")
    found = regions_to_configure(scope=scope)
    for version in found:
        if version.code == code:
            return version
    raise Forbidden("region_outside_scope", "这个区不在您的管辖范围内，不能改它的消息设置。")


def regions_to_configure(*, scope: Scope) -> list[RegionVersion]:
    """Return the city and districts whose messages the scope may configure, coarse before fine."""
    return list(versions_of(scope=scope).filter(within(scope), level__in=("city", "district")))


@transaction.atomic
def save_template(
    *, event: str, channel: str, region: str, entry: str, title: str, body: str, seen: int, scope: Scope
) -> TemplateVersion:
    """Keep a text of a region (code) as its newest version, and return it.

    ``seen`` is the number of the version the writer saw, 0 for none. Raises ``Conflict`` when there is a newer one.
    """
    declared = event_named(event)
    title, body = title.strip(), body.strip()
    check_text(declared, _channel(channel), title, body)
    return _add_version(event, channel, region, entry, seen, scope, title=title, body=body, active=True)


@transaction.atomic
def withdraw_template(*, event: str, channel: str, region: str, entry: str, seen: int, scope: Scope) -> TemplateVersion:
    """Take a region's own text back: from now on the next region above decides. Its versions stay."""
    event_named(event)
    if not seen:
        raise Conflict("template_absent", "这里没有单独的模板，已在沿用上级的内容。")
    return _add_version(event, channel, region, entry, seen, scope, title="", body="", active=False)


def _add_version(
    event: str, channel: str, region: str, entry: str, seen: int, scope: Scope, *, title: str, body: str, active: bool
) -> TemplateVersion:
    choice_named(event_named(event).entries, entry)
    place = region_to_configure(region, scope=scope)
    versions = template_versions(event, _channel(channel), region_id=place.region_id, entry=entry)
    newest = versions[0].number if versions else 0
    if seen != newest:
        raise Conflict("template_changed", "您编辑期间有人保存了新版本。请刷新后核对，再保存您的改动。", newest=newest)
    try:
        with transaction.atomic():
            return TemplateVersion.objects.create(
                event=event, channel=channel, region_id=place.region_id, entry=entry, number=newest + 1, title=title,
                body=body, active=active, made_by=scope.actor,
            )  # fmt: skip
    except IntegrityError:
        raise Conflict("template_changed", "您编辑期间有人保存了新版本。请刷新后核对，再保存您的改动。") from None


def template_versions(event: str, channel: Channel, *, region_id: int, entry: str) -> list[TemplateVersion]:
    """Return the versions of one text, the newest first."""
    rows = TemplateVersion.objects.filter(event=event, channel=channel, region=region_id, entry=entry)
    return list(rows.order_by("-number"))


def template_rows(*, scope: Scope) -> list[TemplateVersion]:
    """Return the newest version of every text of the scope's regions that is in force, by event."""
    check_duty(scope, "messages.configure")
    newest = (
        TemplateVersion.objects.filter(within(scope))
        .order_by("event", "channel", "region", "entry", "-number")
        .distinct("event", "channel", "region", "entry")
    )
    return [row for row in newest if row.active]


@transaction.atomic
def choose_event(
    *, event: str, region: str, channels: Iterable[str], triggers: Iterable[str], scope: Scope
) -> EventChoice:
    """Set by which channels and at which triggers a region tells of an event; none at all switches it off there."""
    declared = event_named(event)
    place = region_to_configure(region, scope=scope)
    chosen = [channel for channel in declared.texts if channel in set(channels)]
    known = set(triggers)
    row, _ = EventChoice.objects.update_or_create(
        event=event,
        region_id=place.region_id,
        defaults={
            "channels": chosen,
            "triggers": [each.key for each in declared.triggers if each.key in known],
            "changed_by": scope.actor,
        },
    )
    return row


@transaction.atomic
def set_sending_rule(
    *, region: str, quiet_from: dt.time, quiet_to: dt.time, daily_cap: int, scope: Scope
) -> SendingRule:
    """Set the quiet hours and the daily limit of a region; equal times are no quiet hours at all."""
    place = region_to_configure(region, scope=scope)
    if not 1 <= daily_cap <= MOST_A_DAY:
        raise BadInput("cap_invalid", f"每天上限要在 1 到 {MOST_A_DAY} 条之间。")
    row, _ = SendingRule.objects.update_or_create(
        region_id=place.region_id,
        defaults={"quiet_from": quiet_from, "quiet_to": quiet_to, "daily_cap": daily_cap, "changed_by": scope.actor},
    )
    return row


def _channel(channel: str) -> Channel:
    if channel not in CHANNELS:
        raise BadInput("channel_unknown", "没有这个渠道，可选站内或短信。")
    return cast(Channel, channel)
