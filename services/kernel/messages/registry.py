"""The events the house knows, found in the ``message_events`` module of every installed app as its ``EVENTS``."""

from __future__ import annotations

from functools import cache

from geo.declared import by_key, declarations
from geo.errors import BadInput, NotFound
from services.kernel.messages.spec import Choice, Event
from services.kernel.messages.texts import check_text


@cache
def events() -> dict[str, Event]:
    """Return the declared events by key, in the order of the apps.

    Raises ``ValueError`` for two events of one key, and for a declared text that does not fit its event.
    """
    found: dict[str, Event] = by_key(declarations("message_events", "EVENTS"), "event")
    for event in found.values():
        _check(event)
    return found


def event_named(key: str) -> Event:
    """Return a declared event. Raises ``NotFound``."""
    event = events().get(key)
    if event is None:
        raise NotFound("event_unknown", f"没有“{key[:60]}”这种消息事件。")
    return event


def choice_named(choices: tuple[Choice, ...], key: str) -> Choice | None:
    """Return the choice with a key, None for ''. Raises ``BadInput`` for any other."""
    for each in choices:
        if each.key == key:
            return each
    if key:
        raise BadInput("choice_unknown", f"没有“{key[:40]}”这个选项。", known=[each.key for each in choices])
    return None


def _check(event: Event) -> None:
    if set(event.channels) - set(event.texts):
        raise ValueError(f"{event.key}: a channel without a text")
    for channel, text in event.texts.items():
        try:
            check_text(event, channel, text.title, text.body)
        except BadInput as fault:
            raise ValueError(f"{event.key}, {channel}: {fault.message}") from fault
