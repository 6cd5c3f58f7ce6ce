"""Writes of channels: how one is set."""

from __future__ import annotations

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.modules.finder.channels.models import ChannelSetting
from services.modules.finder.channels.queries import standing_of
from services.modules.finder.channels.words import ENTRY_PAGES

STALE = "别人刚改过这个渠道。请看过下面现在的设置，再改一次。"


@transaction.atomic
def set_channel(*, key: str, on: bool, elder: bool, entry: str, seen: int, scope: Scope) -> None:
    """Set a channel, at once; what is set already changes nothing.

    ``seen`` is the revision the form was made of, 0 for as declared. Needs ``settings.write`` over the city. Raises
    ``BadInput``, ``NotFound``, ``Conflict``, ``Forbidden``.
    """
    row = ChannelSetting.objects.select_for_update().filter(channel=key).first()
    now = standing_of(key, scope=scope)
    if entry not in ENTRY_PAGES:
        raise BadInput("entry_unknown", f"打开的页面可选：{'、'.join(ENTRY_PAGES.values())}。", field="entry")
    wanted = {"on": on, "elder": elder, "entry": entry}
    if all(getattr(now, name) == value for name, value in wanted.items()):
        return
    if now.revision != seen:
        raise Conflict("channel_changed", STALE)
    made = wanted | {"changed_by": scope.actor, "changed_at": timezone.now()}
    if row is None:
        _, new = ChannelSetting.objects.get_or_create(channel=key, defaults=made)
        if not new:
            raise Conflict("channel_changed", STALE)
        return
    for name, value in made.items():
        setattr(row, name, value)
    row.revision += 1
    with pghistory.context(actor=scope.actor):
        row.save()
