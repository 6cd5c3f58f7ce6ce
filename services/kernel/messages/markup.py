"""Plain text with a little markup as safe HTML: headings, lists, bold, links. Everything else is shown as it was typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

LINK: Final = re.compile(r"\[([^\[\]\n]{1,100})\]\(((?:https?://|/(?!/))[^\s()<>\"']{1,300})\)")
BOLD: Final = re.compile(r"\*\*([^*\n]{1,200})\*\*")
HEADING: Final = re.compile(r"(#{1,3})\s+(.+)")
BULLET: Final = re.compile(r"[-*]\s+(.+)")
NUMBERED: Final = re.compile(r"\d{1,3}[.、]\s*(.+)")


def as_html(text: str) -> SafeString:
    """Return a text as HTML: ``#`` headings, ``-`` and ``1.`` lists, ``**bold**``, ``[words](https://…)``; each line is one."""
    return mark_safe("".join(_blocks(text.replace("\r\n", "\n").split("\n"))))


def as_plain(text: str) -> str:
    """Return a text without its marks, for lists that show a part of it."""
    lines = (re.sub(r"^(?:#{1,3}|[-*])\s+", "", line.strip()) for line in text.splitlines())
    return LINK.sub(r"\1", BOLD.sub(r"\1", "\n".join(lines)))


def _blocks(lines: list[str]) -> Iterator[str]:
    items: list[str] = []
    kind = ""
    for line in [*lines, ""]:
        stripped = line.strip()
        found, tag = BULLET.fullmatch(stripped), "ul"
        if not found:
            found, tag = NUMBERED.fullmatch(stripped), "ol"
        if items and (not found or tag != kind):
            yield format_html(
                "<{}>{}</{}>", kind, format_html_join("", "<li>{}</li>", ((item,) for item in items)), kind
            )
            items = []
        if found:
            kind = tag
            items.append(_inline(found[1]))
        elif heading := HEADING.fullmatch(stripped):
            level = len(heading[1]) + 1
            yield format_html("<h{}>{}</h{}>", level, _inline(heading[2]), level)
        elif stripped:
            yield format_html("<p>{}</p>", _inline(stripped))


def _inline(text: str) -> SafeString:
    """Return one line with its links and bold words; what lies between them is escaped."""
    parts: list[str] = []
    at = 0
    for found in LINK.finditer(text):
        parts += [
            _bold(text[at : found.start()]),
            format_html('<a href="{}" rel="noreferrer">{}</a>', found[2], found[1]),
        ]
        at = found.end()
    return mark_safe("".join([*parts, _bold(text[at:])]))


def _bold(text: str) -> str:
    return BOLD.sub(r"<strong>\1</strong>", escape(text))
