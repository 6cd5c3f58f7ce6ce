"""Which text, which channels and which quiet hours hold for a region: the nearest one that says something decides."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings

from geo.regions.models import RegionVersion
from geo.regions.queries import published_edition
from services.kernel.messages.models import DAILY_CAP, EVENING, MORNING, EventChoice, SendingRule, TemplateVersion
from services.kernel.messages.quiet import Quiet
from services.kernel.messages.registry import choice_named, event_named
from services.kernel.messages.spec import Channel, Event, Text
from services.kernel.messages.texts import check_text, filled


@dataclass(frozen=True, slots=True)
class ChosenText:
    """The text that holds, and where it comes from: the version, or None for the declared one."""

    text: Text
    version: TemplateVersion | None = None


@dataclass(frozen=True, slots=True)
class ChosenRule:
    """The quiet hours and the daily limit that hold for a region, and the row they come from, None for the house's own."""

    quiet: Quiet
    daily_cap: int
    row: SendingRule | None = None


def city_zone() -> ZoneInfo:
    """Return the clock of the city."""
    return ZoneInfo(settings.TIME_ZONE)


def chain_of(region_id: int) -> list[int]:
    """Return a region and those above it, the nearest first; one that the published edition does not know stands alone."""
    return [region for region, _ in regions_above(region_id)] or [region_id]


def regions_above(region_id: int) -> tuple[tuple[int, str], ...]:
    """Return a region and those above it with their levels, the nearest first; empty for one the published edition lacks."""
    edition = published_edition()
    return _above(edition.pk, edition.published_at, region_id) if edition else ()


@lru_cache(maxsize=8_192)
def _above(edition_id: int, published_at: dt.datetime | None, region_id: int) -> tuple[tuple[int, str], ...]:
    """Return the chain of a region in an edition, which never changes once it is published."""
    rows = RegionVersion.objects.filter(edition=edition_id)
    path = rows.filter(region=region_id).values_list("path", flat=True).first()
    codes = path.rstrip(".").split(".") if path else []
    found = {
        code: (region, level)
        for code, region, level in rows.filter(code__in=codes).values_list("code", "region", "level")
    }
    return tuple(found[code] for code in reversed(codes) if code in found)


def text_for(event: Event, channel: Channel, *, region_id: int, entry: str = "") -> ChosenText:
    """Return the text of an event for a region and entry.

    The nearest region that has a text of its own decides, its text for the entry before its general one.
    """
    choice_named(event.entries, entry)
    chain = chain_of(region_id)
    rows = TemplateVersion.objects.filter(event=event.key, channel=channel, region__in=chain, entry__in={entry, ""})
    # the newest version of each place, which may take the text back
    newest = rows.order_by("region", "entry", "-number").distinct("region", "entry")
    known = {(row.region_id, row.entry): row for row in newest if row.active}
    for region in chain:
        for asked in dict.fromkeys((entry, "")):
            if row := known.get((region, asked)):
                return ChosenText(Text(title=row.title, body=row.body), row)
    return ChosenText(event.texts[channel])


def channels_for(event: Event, *, region_id: int, trigger: str = "") -> tuple[Channel, ...]:
    """Return the channels an event is told by in a region; none when its trigger is switched off there."""
    choice_named(event.triggers, trigger)
    row = choice_row(event, region_id=region_id)
    if row is None:
        return event.channels
    if trigger and trigger not in row.triggers:
        return ()
    return tuple(cast(Channel, channel) for channel in row.channels if channel in event.texts)


def choice_row(event: Event, *, region_id: int) -> EventChoice | None:
    """Return the choice of the nearest region that made one."""
    chain = chain_of(region_id)
    rows = {row.region_id: row for row in EventChoice.objects.filter(event=event.key, region__in=chain)}
    return next((rows[region] for region in chain if region in rows), None)


def rule_for(region_id: int) -> ChosenRule:
    """Return the quiet hours and the daily limit of the nearest region that set them."""
    chain = chain_of(region_id)
    rows = {row.region_id: row for row in SendingRule.objects.filter(region__in=chain)}
    for region in chain:
        if row := rows.get(region):
            return ChosenRule(Quiet(row.quiet_from, row.quiet_to), row.daily_cap, row)
    return ChosenRule(Quiet(EVENING, MORNING), DAILY_CAP)


def preview(event_key: str, channel: Channel, title: str, body: str) -> Text:
    """Return a text filled with the examples of its event, as it would be sent."""
    event = event_named(event_key)
    check_text(event, channel, title, body)
    return Text(title=filled(title, event.examples), body=filled(body, event.examples))
