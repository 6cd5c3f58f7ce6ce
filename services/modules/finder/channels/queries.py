"""Reads of channels: how each is set, and how often somebody came by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from geo.errors import NotFound
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.modules.finder.channels.models import ChannelSetting
from services.modules.finder.channels.words import BY_CODE, BY_KEY, CHANNELS, ENTRY_PAGES, USUAL_ENTRY, Channel
from services.modules.finder.counting import Use, uses
from services.modules.finder.models import Act

DUTY: Final = "settings.write"
DAYS: Final = 30
MOST_CHANGES: Final = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel as it is set now: on or off, in 长辈版 or not, the page it opens, who set it and when (nobody: as declared)."""

    channel: Channel
    on: bool
    elder: bool
    entry: str
    revision: int = 0
    by: str = ""
    at: dt.datetime | None = None

    @property
    def entry_name(self) -> str:
        """Return the name of the page it opens."""
        return ENTRY_PAGES.get(self.entry, self.entry)


def channel_coded(code: str) -> Standing:
    """Return the channel of a short code as it is set; everybody may know it. Raises ``NotFound``."""
    channel = BY_CODE.get(code)
    if channel is None:
        raise NotFound("channel_unknown", "没有这个入口，请核对网址，或从养老一张图进入。")
    return _standing(channel, ChannelSetting.objects.filter(channel=channel.key).first())


def standings(*, scope: Scope) -> list[Standing]:
    """Return every channel as it is set. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    rows = {row.channel: row for row in ChannelSetting.objects.all()}
    return [_standing(channel, rows.get(channel.key)) for channel in CHANNELS]


def standing_of(key: str, *, scope: Scope) -> Standing:
    """Return one channel as it is set. Needs ``settings.write`` over the city. Raises ``NotFound``."""
    check_city_duty(scope, DUTY)
    if key not in BY_KEY:
        raise NotFound("channel_unknown", "没有这个渠道，请从渠道列表里选。")
    return _standing(BY_KEY[key], ChannelSetting.objects.filter(channel=key).first())


def changes_of(key: str, *, scope: Scope) -> list[Standing]:
    """Return how a channel was set, newest first. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    row = ChannelSetting.objects.filter(channel=key).first()
    if row is None:
        return []
    return [_standing(BY_KEY[key], one) for one in (row, *row.events.order_by("-pgh_id")[: MOST_CHANGES - 1])]


def visits(*, scope: Scope) -> dict[str, Use]:
    """Return how often somebody came by each channel in the last ``DAYS`` days, by its key; few is not told. Never who.

    Needs ``settings.write`` over the city and ``facilities.view``.
    """
    check_city_duty(scope, DUTY)
    since, until = _span()
    found = uses(scope=scope, since=since, until=until, by="filter", act=Act.VISIT)
    return {one.key.removeprefix(PREFIX): one for one in found}


def visits_by_day(key: str, *, scope: Scope) -> list[Use]:
    """Return how often somebody came by a channel on each of the last ``DAYS`` days on which anybody did, newest first."""
    check_city_duty(scope, DUTY)
    since, until = _span()
    found = uses(scope=scope, since=since, until=until, by="day", act=Act.VISIT, filter_key=counted_as(key))
    return sorted(found, key=lambda one: one.key, reverse=True)


PREFIX: Final = "channel:"


def counted_as(key: str) -> str:
    """Return the word under which visits by a channel are counted."""
    return f"{PREFIX}{key}"


def _span() -> tuple[dt.datetime, dt.datetime]:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - dt.timedelta(days=DAYS - 1), today + dt.timedelta(days=1)


def _standing(channel: Channel, row: ChannelSetting | None) -> Standing:
    if row is None:
        return Standing(channel, True, channel.elder, USUAL_ENTRY)
    return Standing(channel, row.on, row.elder, row.entry, row.revision, row.changed_by, row.changed_at)
