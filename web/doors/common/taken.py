"""Tables that people take away as files: an answer to save under a name, and a line in the audit log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from services.access.actions import record_audit
from services.access.models import AuditAct
from services.kernel.ledger.exports import FORMATS


def attached(body: bytes, media_type: str, name: str) -> HttpResponse:
    """Return a file to save under a name, whatever characters stand in it."""
    response = HttpResponse(body, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def taken(
    request: HttpRequest, body: bytes, name: str, *, ledger: str, format: str, rows: int, **about: object
) -> HttpResponse:
    """Answer an exported table as a file; who took how much of what, and ``about`` it, goes to the audit log.

    ``format`` is one of ``FORMATS``; the file is called by the name and the minute.
    """
    detail = {"ledger": ledger, "format": format, "rows": rows, **about}
    record_audit(act=AuditAct.LEDGER_EXPORTED, request=request, detail=detail)
    called = f"{name}-{timezone.localtime():%Y%m%d-%H%M}.{format}"
    return attached(body, FORMATS[format].media_type, called)
