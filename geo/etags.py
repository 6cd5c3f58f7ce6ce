"""Tags of answers, and whether who asks holds one already (RFC 9110, 8.8.3 and 13.1.2)."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import parse_etags


def holds_already(request: HttpRequest, tag: str) -> bool:
    """Say whether the caller holds what bears a tag; of what was packed on its way out the tag comes back as a weak one."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return known == ["*"] or tag in {one.removeprefix("W/") for one in known}
