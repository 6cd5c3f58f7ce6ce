"""What was typed into a form or an address, as plain text and as moments."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from geo.errors import BadInput
from services.crypto.identifiers import new_id


def typed(request: HttpRequest, name: str, default: str = "") -> str:
    """Return one field of what was posted, or of the address where nothing was; without the one sign no database keeps."""
    asked = request.POST if request.method == "POST" else request.GET
    return str(asked.get(name, default)).replace("\x00", "")


def number_typed(request: HttpRequest, name: str) -> int:
    """Return a field as a whole number that a database keeps; 0 for anything else."""
    text = typed(request, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def key_typed(request: HttpRequest) -> UUID:
    """Return the key a form carries, so that what is sent twice is done once; a new one where it carries none."""
    try:
        return UUID(typed(request, "key"))
    except ValueError:
        return new_id()


def moment_of(text: str, name: str) -> dt.datetime | None:
    """Return the moment that was typed, by the clock of the city unless it names another; None for nothing.

    Raises ``BadInput``.
    """
    if not text.strip():
        return None
    try:
        moment = parse_datetime(text.strip()[:40])
    except ValueError:
        moment = None
    if moment is None or not 2000 < moment.year < 2200:
        raise BadInput("moment_invalid", f"{name}要写成 2026-09-01 08:00 的样子。")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
