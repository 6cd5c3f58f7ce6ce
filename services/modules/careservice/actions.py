"""Writes of where services for elders are applied for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

import pghistory
from django.db import transaction
from django.utils import timezone

from geo.errors import BadInput, Conflict
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.modules.careservice.models import OutsideEntry
from services.modules.careservice.queries import DUTY, kinds_set

SCHEMES: Final = frozenset({"https"})
LONGEST: Final = 500
PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]+")
"""The characters of an address as RFC 3986 has them, without quotes."""
HOST: Final = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)


@transaction.atomic
def set_outside_entry(*, kind: str, url: str, seen: int, scope: Scope) -> OutsideEntry | None:
    """Set the address of 养老服务一件事 for a kind of place, '' for none, and return its row.

    What is set already changes nothing. ``seen`` is the revision the form was made of, 0 for none. Needs ``settings.write``
    over the city. Raises ``BadInput``, ``Conflict``, ``Forbidden``.
    """
    check_city_duty(scope, DUTY)
    if kind not in kinds_set():
        raise BadInput("kind_unknown", "没有这个类别，请刷新页面再选。", field="kind")
    url = checked_url(url)
    row = OutsideEntry.objects.select_for_update().filter(kind=kind).first()
    if (row.url if row else "") == url:
        return row
    if (row.revision if row else 0) != seen:
        raise Conflict("entry_changed", "别人刚改过这个入口。请看过下面现在的地址，再改一次。")
    made = {"url": url, "changed_by": scope.actor, "changed_at": timezone.now()}
    if row is None:
        row, new = OutsideEntry.objects.get_or_create(kind=kind, defaults=made)
        if not new:
            raise Conflict("entry_changed", "别人刚改过这个入口。请看过下面现在的地址，再改一次。")
        return row
    row.url, row.changed_by, row.changed_at, row.revision = url, scope.actor, timezone.now(), row.revision + 1
    with pghistory.context(actor=scope.actor):
        row.save()
    return row


def checked_url(text: str) -> str:
    """Return an address that people may be sent to: https at a named host, nothing that signs in. Raises ``BadInput``."""
    url = text.strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        named = HOST.fullmatch(parts.hostname or "") and parts.port in (None, 443) and not parts.username
    except ValueError:
        raise _odd() from None
    if parts.scheme not in SCHEMES or not named or len(url) > LONGEST or not PLAIN.fullmatch(url):
        raise _odd()
    return url


def _odd() -> BadInput:
    return BadInput(
        "url_odd", "请填完整的网址，以 https:// 开头，中间没有空格，从浏览器的地址栏里复制最稳妥。", field="url"
    )
