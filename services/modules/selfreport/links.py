"""The links that are sent: which report a link opens, and for whom. See docs/adr/0022.

A link holds the report's id and a signature over id and issue; no database key, no name and no number. It opens the newest issue
only, until its time is over, to who knows the last four digits of the number it was sent to.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from geo.errors import BadInput, Conflict, NotFound, TooMany
from services.modules.selfreport.models import ReportState, SelfReport

SALT: Final = "selfreport.link"
SIGNATURE_BYTES: Final = 12
TRIES: Final = 8
"""Wrong digits that a link bears until it is sent anew: who guesses is right once in a thousand links."""
_ID_SIGNS: Final = 22
_UNKNOWN: Final = NotFound("link_unknown", "这个链接不完整或不是我们发的。请从短信里直接点开，或联系发短信的单位。")


def token_of(report: SelfReport) -> str:
    """Return what the link of the newest issue of a report ends with."""
    return f"{urlsafe_b64encode(report.uid.bytes).decode().rstrip('=')}{_signature(report.uid, report.issue)}"


def report_of(token: str) -> SelfReport:
    """Return the report that a link opens. Raises ``NotFound``, and ``Conflict`` for a link that a newer one replaced."""
    try:
        uid = UUID(bytes=urlsafe_b64decode(f"{token[:_ID_SIGNS]}=="))
    except (ValueError, binascii.Error):
        raise _UNKNOWN from None
    report = SelfReport.objects.select_related("facility").filter(uid=uid).first()
    signature = token[_ID_SIGNS:]
    if report is None or not signature.isascii():
        raise _UNKNOWN
    if constant_time_compare(signature, _signature(uid, report.issue)):
        return report
    if any(constant_time_compare(signature, _signature(uid, issue)) for issue in range(1, report.issue)):
        raise Conflict("link_replaced", "这是以前的链接，后来又发过新的。请打开最近一条短信里的链接。")
    raise _UNKNOWN


def check_open(report: SelfReport) -> None:
    """Raise ``Conflict`` for a link that was revoked or whose time is over, ``TooMany`` for one that was guessed at too often."""
    if report.state == ReportState.REVOKED:
        raise Conflict("link_revoked", "这个链接已经撤销。需要填报的话，请联系发短信的单位重新发送。")
    if report.is_over(timezone.now()):
        day = timezone.localtime(report.expires_at)
        raise Conflict(
            "link_expired", f"这个链接 {day:%-m月%-d日} 已经过期，填过的内容还在。请联系发短信的单位重新发送。"
        )
    if report.tries_left == 0:
        raise TooMany("link_locked", "号码后四位错得太多，这个链接已经锁住。请联系发短信的单位重新发送。")


def recognise(*, token: str, digits: str) -> SelfReport:
    """Return the report of a link to who gives the last four digits of its number; each wrong answer is counted.

    Raises ``BadInput`` for wrong digits, and as ``report_of`` and ``check_open`` do.
    """
    report = report_of(token)
    check_open(report)
    with transaction.atomic():
        report = SelfReport.objects.select_for_update().get(pk=report.pk)
        check_open(report)
        right = constant_time_compare("".join(digits.split())[:8].encode(), report.phone[-4:].encode())
        report.tries_left = TRIES if right else report.tries_left - 1
        report.save(update_fields=["tries_left"])
    if not right:
        left = (
            f"还可以试 {report.tries_left} 次。"
            if report.tries_left
            else "这个链接已经锁住，请联系发短信的单位重新发送。"
        )
        raise BadInput("digits_wrong", f"和收到短信的手机号对不上。{left}", field="digits")
    return report


def _signature(uid: UUID, issue: int) -> str:
    digest = salted_hmac(SALT, f"{uid.hex}:{issue}", algorithm="sha256").digest()[:SIGNATURE_BYTES]
    return urlsafe_b64encode(digest).decode()
