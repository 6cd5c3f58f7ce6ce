"""Writes of signing in: second step, recovery codes, sessions, bound identities, unlocking."""

from __future__ import annotations

import secrets
import time
from typing import Final
from uuid import UUID

from axes.utils import reset
from django.contrib.sessions.backends.cached_db import SessionStore
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from services.access.actions import client_address, record_audit
from services.access.demo import demo_users
from services.access.models import AuditAct, User, UserKind
from services.access.personal.queries import has_consented
from services.access.signin.models import ExternalIdentity, OpenSession, RecoveryCode, SecondStep
from services.access.signin.onetime import (
    looks_like_recovery_code,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    step_of,
)
from services.access.signin.queries import needs_second_step, second_step_of, sessions_of
from services.crypto.actions import keep_secrets
from services.crypto.identifiers import new_id
from services.crypto.primitives import same
from services.crypto.sealing import key_of, seal, unseal
from services.integrations.identity.spec import Identified, Provider

SECRET_FIELD: Final = "second_step.secret"
RECOVERY_FIELD: Final = "second_step.recovery"
IDENTITY_FIELD: Final = "account.identity_number"
PHONE_FIELD: Final = "account.phone"
REAL_NAME: Final = "real_name"
"""The purpose for which the numbers that a provider tells are kept."""
MOST_SESSIONS: Final = 5


@transaction.atomic
def propose_second_step(*, user: User) -> str:
    """Return the secret to show for setting up an authenticator app, the same until it is confirmed."""
    User.objects.select_for_update().get(pk=user.pk)
    step = SecondStep.objects.filter(user=user).first()
    if step is not None and step.confirmed_at is not None:
        raise Conflict("second_step_on", "两步验证已经启用。换手机请先关闭，再重新启用。")
    if step is not None:
        return unseal(step.secret, field=SECRET_FIELD, owner=step.pk)
    uid, secret = new_id(), new_secret()
    SecondStep.objects.create(uid=uid, user=user, secret=seal(secret, field=SECRET_FIELD, owner=uid))
    return secret


@transaction.atomic
def confirm_second_step(*, user: User, code: str, request: HttpRequest | None = None) -> list[str]:
    """Turn the second step on with a code of the app, and return recovery codes, shown this once. Raises ``BadInput``."""
    step = SecondStep.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if step is None or not _takes(step, code):
        raise BadInput("code_wrong", "验证码不对。请核对手机时间是否自动校准，再输入应用里最新的 6 位数字。")
    step.confirmed_at = timezone.now()
    step.save()
    record_audit(act=AuditAct.SECOND_STEP_ON, actor=user.username, request=request)
    return renew_recovery_codes(user=user)


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Replace all recovery codes of an account, and return the new ones, which are not kept."""
    codes = new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    sealed = (seal(recovery_digest(code), field=RECOVERY_FIELD, owner=user.uid) for code in codes)
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=each) for each in sealed)
    return codes


@transaction.atomic
def take_code(*, user: User, code: str, request: HttpRequest | None = None) -> bool:
    """Say whether a code of the app, or an unused recovery code, opens the second step; each opens it once."""
    step = SecondStep.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
    if step is not None and _takes(step, code):
        step.save()
        return True
    if step is not None and (found := _unused_code(user, code[:40])) is not None:
        found.used_at = timezone.now()
        found.save(update_fields=["used_at"])
        record_audit(act=AuditAct.RECOVERY_USED, actor=user.username, request=request)
        return True
    record_audit(act=AuditAct.SECOND_STEP_REFUSED, actor=user.username, request=request)
    return False


@transaction.atomic
def drop_second_step(*, user: User, by: str, request: HttpRequest | None = None) -> None:
    """Turn the second step of an account off: by its owner where no role asks for it, or by staff when a telephone is lost."""
    if by == user.username and needs_second_step(user):
        raise Conflict("second_step_needed", "您的角色要求两步验证，不能关闭。换手机请联系管理员重置。")
    if second_step_of(user) is not None:
        record_audit(act=AuditAct.SECOND_STEP_OFF, actor=by, request=request, detail={"account": user.username})
    SecondStep.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


@transaction.atomic
def open_session(
    *, user: User, request: HttpRequest, how: str, provider_session: str = "", certificate: str = ""
) -> OpenSession:  # fmt: skip
    """Write down the session of a request; beyond five of an account the oldest end. Demo accounts are shared by many."""
    User.objects.select_for_update().get(pk=user.pk)
    now = timezone.now()
    OpenSession.objects.filter(user=user).exclude(pk__in=sessions_of(user).values("pk")).delete()
    if not demo_users().filter(pk=user.pk).exists():
        for old in list(sessions_of(user))[MOST_SESSIONS - 1 :]:
            _end(old)
            record_audit(
                act=AuditAct.SESSION_ENDED, actor=user.username, request=request, detail={"reason": "too_many"}
            )
    return OpenSession.objects.create(
        user=user,
        session_key=request.session.session_key or "",
        began_at=now,
        seen_at=now,
        address=client_address(request),
        agent=agent_of(request.headers.get("User-Agent", "")),
        how=how,
        provider_session=provider_session,
        certificate=certificate,
    )


@transaction.atomic
def end_session(*, user: User, uid: UUID, by: str, request: HttpRequest | None = None) -> None:
    """End one session of an account. Raises ``NotFound``."""
    found = OpenSession.objects.filter(user=user, pk=uid).first()
    if found is None:
        raise NotFound("session_unknown", "没有找到这次登录，可能已经退出。")
    _end(found)
    record_audit(act=AuditAct.SESSION_ENDED, actor=by, request=request, detail={"account": user.username})


@transaction.atomic
def end_sessions(*, user: User, by: str, but: str = "", request: HttpRequest | None = None, reason: str = "") -> int:
    """End all sessions of an account but the one with the key ``but``, and return how many there were."""
    rows = list(OpenSession.objects.filter(user=user).exclude(session_key=but))
    for each in rows:
        _end(each)
    if rows:
        detail = {"account": user.username, "count": len(rows), "reason": reason}
        record_audit(act=AuditAct.SESSION_ENDED, actor=by, request=request, detail=detail)
    return len(rows)


@transaction.atomic
def end_sessions_of_certificate(*, user: User, fingerprint: str, by: str) -> int:
    """End the sessions of an account that were begun with a certificate, and return how many there were."""
    rows = list(OpenSession.objects.filter(user=user, certificate=fingerprint))
    for each in rows:
        _end(each)
        detail = {"account": user.username, "reason": "certificate"}
        record_audit(act=AuditAct.SESSION_ENDED, actor=by, detail=detail)
    return len(rows)


@transaction.atomic
def end_provider_sessions(*, provider: str, subject: str, session: str) -> int:
    """End what was begun through a provider that says a sign-in there has ended; return how many there were."""
    rows = OpenSession.objects.filter(how=provider)
    if session:
        rows = rows.filter(provider_session=session)
    if subject:
        rows = rows.filter(user__identities__provider=provider, user__identities__subject=subject)
    ended = list(rows.select_related("user"))
    for each in ended:
        _end(each)
        record_audit(act=AuditAct.SESSION_ENDED, actor=each.user.username, detail={"reason": "provider"})
    return len(ended)


@transaction.atomic
def bind_identity(
    *, user: User, provider: Provider, identified: Identified, request: HttpRequest | None = None
) -> ExternalIdentity:
    """Let a provider's account sign in as an account here. Raises ``Conflict`` where either is bound elsewhere."""
    User.objects.select_for_update().get(pk=user.pk)
    rows = ExternalIdentity.objects.filter(provider=provider.key)
    known = rows.filter(subject=identified.subject).first() or rows.filter(user=user).first()
    if known is not None and (known.user_id != user.pk or known.subject != identified.subject):
        raise Conflict("identity_bound", f"这个{provider.name}账号或您的账号已经绑定了别的账号，请先解除原来的绑定。")
    if known is None:
        known = ExternalIdentity.objects.create(user=user, provider=provider.key, subject=identified.subject)
        record_audit(
            act=AuditAct.IDENTITY_BOUND, actor=user.username, request=request, detail={"provider": provider.key}
        )
    _keep_told(user, identified)
    return known


@transaction.atomic
def unbind_identity(*, user: User, provider: str, request: HttpRequest | None = None) -> None:
    """Forget the binding. Raises ``Conflict`` where it is the only way in, ``NotFound`` where there is none."""
    rows = ExternalIdentity.objects.select_for_update().filter(user=user)
    if not user.has_usable_password() and rows.count() < 2:
        raise Conflict("identity_last", "这是您唯一的登录方式，解除后将无法登录。请先设置密码，或申请注销账号。")
    if not rows.filter(provider=provider).delete()[0]:
        raise NotFound("identity_unknown", "没有绑定这种登录方式。")
    record_audit(act=AuditAct.IDENTITY_UNBOUND, actor=user.username, request=request, detail={"provider": provider})


@transaction.atomic
def resident_of(*, provider: Provider, identified: Identified, request: HttpRequest | None = None) -> User:
    """Return the account a provider's account stands for; a resident who comes the first time gets one. Raises ``NotFound``."""
    known = (
        ExternalIdentity.objects.select_for_update()
        .select_related("user")
        .filter(provider=provider.key, subject=identified.subject)
        .first()
    )
    if known is not None:
        known.used_at = timezone.now()
        known.save(update_fields=["used_at"])
        _keep_told(known.user, identified)
        return known.user
    if provider.audience != "resident":
        raise NotFound(
            "identity_not_bound",
            f"这个{provider.name}账号还没有绑定。请先用账号和密码登录，再到“我的”里绑定；没有账号请联系本单位管理员。",
        )
    user = User(username=f"{provider.key}-{secrets.token_hex(5)}", display_name=identified.name, kind=UserKind.RESIDENT)
    user.set_unusable_password()
    user.save()
    detail = {"account": user.username, "provider": provider.key}
    record_audit(act=AuditAct.ACCOUNT_CREATED, actor=user.username, request=request, detail=detail)
    bind_identity(user=user, provider=provider, identified=identified, request=request)
    return user


def unlock(*, user: User, by: str, request: HttpRequest | None = None) -> int:
    """Forget the wrong passwords counted against an account, and return how many lines there were."""
    count = int(reset(username=user.username))
    record_audit(act=AuditAct.UNLOCKED, actor=by, request=request, detail={"account": user.username})
    return count


def agent_of(header: str) -> str:
    """Return what a person calls a browser: its name and the system it runs on."""
    names = (("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("Edg/", "Edge"), ("Firefox", "Firefox"),
             ("Chrome", "Chrome"), ("Safari", "Safari"))  # fmt: skip
    systems = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "安卓"), ("Windows", "Windows"),
               ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip
    browser = next((said for sign, said in names if sign in header), "")
    system = next((said for sign, said in systems if sign in header), "")
    return " · ".join(filter(None, (browser, system))) or "未知设备"


def _keep_told(user: User, identified: Identified) -> None:
    """Seal the numbers a provider told, where their owner agreed to that."""
    if has_consented(user, REAL_NAME):
        told = {IDENTITY_FIELD: identified.identity_number, PHONE_FIELD: identified.phone}
        keep_secrets(owner=user.uid, values={field: value for field, value in told.items() if value})


def _unused_code(user: User, code: str) -> RecoveryCode | None:
    """Return the unused recovery code that was typed, if it is one; whoever calls holds the second step of the account."""
    if not looks_like_recovery_code(code):
        return None  # a mistyped code of the app opens no seals
    typed = recovery_digest(code).encode()
    for row in RecoveryCode.objects.filter(user=user, used_at=None):
        kept = unseal(row.digest, field=RECOVERY_FIELD, owner=user.uid) if key_of(row.digest) else row.digest
        if same(kept.encode(), typed):
            return row
    return None


def _takes(step: SecondStep, code: str) -> bool:
    secret = unseal(step.secret, field=SECRET_FIELD, owner=step.pk)
    found = step_of(secret, code, now=time.time(), after=step.last_step)
    if found is None:
        return False
    step.last_step = found
    return True


def _end(row: OpenSession) -> None:
    SessionStore(row.session_key).delete()
    row.delete()
