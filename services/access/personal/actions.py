"""Writes of personal data: consent, its withdrawal, and erasing after a time to think it over."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import Conflict, NotFound
from services.access.actions import record_audit
from services.access.models import AuditAct, User, UserKind
from services.access.personal.models import Consent, Erasure
from services.access.personal.naming import rename_rows
from services.access.personal.queries import erasure_of, has_consented, reasons_to_wait
from services.access.personal.registry import call, parts, purpose_named
from services.access.signin.actions import end_sessions

COOLING: Final = dt.timedelta(days=15)
"""How long somebody may think over whether to be erased."""


@transaction.atomic
def give_consent(*, user: User, purpose: str, version: int, request: HttpRequest | None = None) -> Consent:
    """Keep that somebody agrees to the text he saw. Raises ``Conflict`` where the text has changed meanwhile."""
    declared = purpose_named(purpose)
    User.objects.select_for_update().get(pk=user.pk)
    if version != declared.version:
        raise Conflict("consent_text_new", "说明刚刚更新，请看过新的说明再决定。")
    if has_consented(user, purpose):
        return Consent.objects.get(user=user, purpose=purpose, withdrawn_at=None)
    Consent.objects.filter(user=user, purpose=purpose, withdrawn_at=None).update(withdrawn_at=timezone.now())
    detail = {"purpose": purpose, "version": version}
    record_audit(act=AuditAct.CONSENT_GIVEN, actor=user.username, request=request, detail=detail)
    return Consent.objects.create(user=user, purpose=purpose, version=version)


@transaction.atomic
def withdraw_consent(*, user: User, purpose: str, request: HttpRequest | None = None) -> None:
    """Take consent back, and forget what was kept for the purpose."""
    declared = purpose_named(purpose)
    rows = Consent.objects.select_for_update().filter(user=user, purpose=purpose, withdrawn_at=None)
    if rows.update(withdrawn_at=timezone.now()):
        call(declared.withdrawn, user)
        record_audit(act=AuditAct.CONSENT_WITHDRAWN, actor=user.username, request=request, detail={"purpose": purpose})


@transaction.atomic
def ask_erasure(*, user: User, request: HttpRequest | None = None) -> Erasure:
    """Ask for an account to be erased after fifteen days. Raises ``Conflict`` while something of it is under way."""
    User.objects.select_for_update().get(pk=user.pk)
    if user.kind != UserKind.RESIDENT:
        raise Conflict("erasure_staff", "经办账号由本单位管理员停用，不能自己注销。")
    waiting = erasure_of(user)
    if waiting is not None:
        return waiting
    reasons = reasons_to_wait(user)
    if reasons:
        raise Conflict("erasure_waits", "".join(reasons))
    record_audit(act=AuditAct.ERASURE_ASKED, actor=user.username, request=request)
    return Erasure.objects.create(user=user, due_at=timezone.now() + COOLING)


@transaction.atomic
def cancel_erasure(*, user: User, request: HttpRequest | None = None) -> None:
    """Take the request back. Raises ``NotFound`` where there is none any more."""
    rows = Erasure.objects.select_for_update().filter(user=user, cancelled_at=None, done_at=None)
    if not rows.update(cancelled_at=timezone.now()):
        raise NotFound("erasure_none", "没有等待中的注销申请。")
    record_audit(act=AuditAct.ERASURE_CANCELLED, actor=user.username, request=request)


def erase_due() -> int:
    """Erase every account whose request is due, each by itself, and return how many; what is under way again waits a day."""
    count = 0
    for pk in list(
        Erasure.objects.filter(cancelled_at=None, done_at=None, due_at__lte=timezone.now()).values_list("pk", flat=True)
    ):
        count += _erase(pk)
    return count


@transaction.atomic
def _erase(pk: int) -> bool:
    erasure = Erasure.objects.select_for_update().filter(pk=pk, cancelled_at=None, done_at=None).first()
    if erasure is None:
        return False
    user = User.objects.select_for_update().get(pk=erasure.user_id)
    if reasons_to_wait(user):
        erasure.due_at = timezone.now() + dt.timedelta(days=1)
        erasure.save(update_fields=["due_at"])
        return False
    end_sessions(user=user, by="system", reason="erased")
    erasure.report = {part.title: call(part.erases, user) for part in parts().values() if part.erases}
    erasure.report[parts()["names"].title] = rename_rows(user)  # last: the parts find what they forget by the name
    user.username, user.display_name, user.is_active = f"gone-{secrets.token_hex(8)}", "", False
    user.set_unusable_password()
    user.save()
    erasure.done_at = timezone.now()
    erasure.save()
    record_audit(act=AuditAct.ERASURE_DONE, actor="system", detail={"account": user.username, "report": erasure.report})
    return True
