"""What a package declares in its ``message_events.py``: what people are told of, and the fields the texts may use. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Channel = Literal["in_app", "sms"]
CHANNELS: Final[Mapping[Channel, str]] = MappingProxyType({"in_app": "站内", "sms": "短信"})


@dataclass(frozen=True, slots=True)
class EventField:
    """One ``{字段}`` a text may hold: its Chinese name, as written between the braces, and an example for previews."""

    name: str
    example: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A key with its Chinese name: an entry (报名入口) or a trigger (a state that sets the event off)."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """The text of an event in one channel until somebody writes another; a short message has no title."""

    body: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something people are told of.

    ``texts`` are the texts to begin with, one for every channel the event may use. ``channels`` are those it uses until a region
    chooses otherwise. ``entries`` may each have texts of their own. ``triggers`` are states a region may switch on and off.
    ``urgent`` messages do not wait for the morning and are not counted against the daily limit.
    """

    key: str
    title: str
    fields: tuple[EventField, ...]
    texts: Mapping[Channel, Text]
    channels: tuple[Channel, ...] = ("in_app",)
    entries: tuple[Choice, ...] = ()
    triggers: tuple[Choice, ...] = ()
    urgent: bool = False
    help: str = field(default="")

    @property
    def examples(self) -> dict[str, str]:
        """Return the example of every field, by name."""
        return {each.name: each.example for each in self.fields}
