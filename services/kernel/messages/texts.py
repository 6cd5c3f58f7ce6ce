"""Texts with fields: which fields a text names, how they are filled in, how long a short message is. Pure.

Filling in is plain replacement, once: what a value holds is never read as a field, as a formula or as markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.errors import BadInput
from services.kernel.messages.spec import CHANNELS, Channel, Event

FIELD: Final = re.compile(r"\{([^{}]{1,20})\}")
ONE_SEGMENT: Final = 70
EACH_SEGMENT: Final = 67
LONGEST_SMS: Final = 335
LONGEST_TITLE: Final = 60
LONGEST_BODY: Final = 2_000
LONGEST_VALUE: Final = 100


@dataclass(frozen=True, slots=True)
class Length:
    """How long a short message is: its characters, and the segments it is charged as."""

    characters: int
    segments: int


def fields_of(text: str) -> list[str]:
    """Return the fields a text names, each once, in their order."""
    return list(dict.fromkeys(FIELD.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its fields replaced. Raises ``BadInput`` for a field without a value."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise BadInput("field_missing", f"缺少“{found[1]}”的内容，消息没有发出。", field=found[1])
        return plain_value(values[found[1]])

    return FIELD.sub(value, text)


def plain_value(value: str) -> str:
    """Return a value as it goes into a text: one line, no control characters, at most 100 characters."""
    shown = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in str(value))
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"


def sms_length(text: str) -> Length:
    """Return the length of a short message: up to 70 characters are one segment, longer ones take 67 in each.

    Characters beyond the basic plane (emoji) count two, as the network counts them.
    """
    characters = len(text.encode("utf-16-le")) // 2
    segments = 1 if characters <= ONE_SEGMENT else -(-characters // EACH_SEGMENT)
    return Length(characters, segments)


def check_text(event: Event, channel: Channel, title: str, body: str) -> None:
    """Raise ``BadInput`` unless a text fits its channel and names only fields of its event."""
    if channel not in event.texts:
        raise BadInput("channel_unknown", f"“{event.title}”没有{CHANNELS[channel]}渠道。")
    if not body.strip() or (channel == "in_app" and not title.strip()):
        raise BadInput("text_empty", "请写正文。" if title.strip() or channel == "sms" else "请写标题和正文。")
    if channel == "sms" and title.strip():
        raise BadInput("title_unused", "短信没有标题，请只写正文。")
    if len(title) > LONGEST_TITLE or len(body) > LONGEST_BODY:
        raise BadInput("text_too_long", f"标题最多 {LONGEST_TITLE} 字，正文最多 {LONGEST_BODY} 字。")
    known = {each.name for each in event.fields}
    unknown = [name for name in fields_of(title + "\n" + body) if name not in known]
    if unknown:
        raise BadInput(
            "field_unknown", f"没有这些字段：{'、'.join(unknown)}。可用：{'、'.join(sorted(known))}。", fields=unknown
        )
    rest = FIELD.sub("", title + body)
    if "{" in rest or "}" in rest:
        raise BadInput("brace_alone", "花括号要成对，中间写字段名，例如 {姓名}。")
    if channel == "sms":
        _check_sms(event, body)


def _check_sms(event: Event, body: str) -> None:
    if any(sign in body for sign in "\r\n\t"):
        raise BadInput("text_lines", "短信正文写成一段，不要换行。")
    length = sms_length(filled(body, event.examples))
    if length.characters > LONGEST_SMS:
        raise BadInput("text_too_long", f"按示例填好后有 {length.characters} 字，短信最多 {LONGEST_SMS} 字。")
