"""Certificates of devices: challenges that count once, bindings to accounts, and who a certificate stands for.

The gateway judges chain and revocation. What we can check ourselves (days, the signature, our own roots) we do, so that a gateway
that errs or lies lets nobody in. Without the gateway nobody comes in by certificate.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound, TooMany, Unavailable
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.signed import ACCOUNT, CERTIFICATE
from services.access.signin.actions import end_sessions_of_certificate, take_code
from services.access.signin.flow import MARK, WRONG_CODES, WRONG_CODES_S
from services.access.signin.models import DeviceCertificate
from services.access.signin.queries import certificates_of, second_step_of
from services.crypto.certificates import Certificate, CertificateRefused, read_certificate
from services.crypto.signed_rows import holds
from services.integrations.gateway.client import Asked, OpenedSession, connected_gateway
from services.integrations.gateway.schemas import Verdict
from services.integrations.gateway.texts import Challenge, Purpose
from services.integrations.identity.spec import NotIdentified

MOST_DEVICES: Final = 5
FRESH_S: Final = 600
CHALLENGE_S: Final = 120
WAY: Final = "certificate_way"
WRONG: Final = {
    Verdict.SIGNATURE_WRONG: "签名不对，没有登录。请重新开始；一直如此请联系管理员重新申请证书。",
    Verdict.UNTRUSTED: "这张证书不是本系统信任的机构签发的，不能使用。请联系管理员申请证书。",
    Verdict.NOT_YET_VALID: "这张证书还没有生效。请核对手机的日期，到生效那天再用。",
    Verdict.EXPIRED: "这张证书已过期。请用别的方式登录后重新申请证书，或联系管理员。",
    Verdict.REVOKED: "这张证书已被吊销，不能再用。请联系管理员重新申请证书。",
    Verdict.CHALLENGE_UNKNOWN: "这次验证已过期或已经用过，请重新开始。",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """What a device answers to a challenge: its certificate in DER and its signature; a sealed secret if a session is wanted."""

    challenge: bytes
    certificate: bytes
    signature: bytes
    sealed_secret: bytes = b""


def show_challenge(*, purpose: Purpose, random: bytes, request: HttpRequest) -> Asked:
    """Return a challenge that the site signed, for this browser, purpose and account, to be answered once within two minutes.

    Raises ``Unavailable`` without the gateway, ``BadInput`` where one has to be signed in first.
    """
    user = _user(request)
    if purpose != "sign_in" and user is None:
        raise BadInput("sign_in_first", "请先登录，再绑定证书或建立安全会话。")
    host = request.get_host()
    asked = connected_gateway().challenge(purpose, host=host, random=random)
    way = request.session.setdefault(WAY, secrets.token_urlsafe(18))
    kept = {"purpose": purpose, "host": host, "random": random, "user": user and user.pk, "way": way}
    cache.set(_place(asked.question.challenge), kept, timeout=CHALLENGE_S)
    return asked


def judge(answered: Answered, *, purpose: Purpose, request: HttpRequest) -> tuple[Certificate, OpenedSession | None]:
    """Return the certificate of a device that proved to have its key, and the session it opened where one was wanted.

    Raises ``NotIdentified`` with a sentence for each thing that may be wrong, ``Unavailable`` when the gateway cannot say.
    """
    question = _taken(answered.challenge, purpose, request)
    try:
        certificate = read_certificate(answered.certificate)
    except CertificateRefused as fault:
        raise NotIdentified("certificate_unreadable", "证书读不出来，请重新申请证书。") from fault
    house = connected_gateway()
    now = timezone.now()
    if not certificate.signs or not certificate.public.verify(
        question.device_text(answered.sealed_secret), answered.signature
    ):
        raise _refused(Verdict.SIGNATURE_WRONG)
    if not certificate.covers(now):
        raise _refused(Verdict.EXPIRED if now > certificate.not_after else Verdict.NOT_YET_VALID)
    if not house.trusts(certificate):
        raise _refused(Verdict.UNTRUSTED)
    opened: OpenedSession | None = None
    if purpose == "session":
        verdict, opened = house.open_session(question, certificate, answered.signature, answered.sealed_secret)
    else:
        verdict = house.verify(question, certificate, answered.signature)
    if verdict is not Verdict.GOOD:
        raise _refused(verdict)
    return certificate, opened


def account_of(certificate: Certificate) -> tuple[User, DeviceCertificate]:
    """Return the account a certificate stands for, and the binding. Raises ``NotIdentified``, for an altered binding too."""
    rows = DeviceCertificate.objects.select_related("user")
    binding = rows.filter(fingerprint=certificate.fingerprint, ended_at=None).first()
    if binding is None:
        raise NotIdentified(
            "certificate_not_bound", "这张证书还没有绑定账号，或已经停用。请先用别的方式登录，再到“我的 · 证书”里绑定。"
        )
    if not holds(CERTIFICATE, binding):
        raise NotIdentified("binding_altered", "这张证书的绑定被改动过，不能使用。请联系系统管理员。")
    if not binding.user.is_active:
        raise NotIdentified("account_disabled", "这个账号已停用，请联系管理员。")
    if not holds(ACCOUNT, binding.user):
        raise NotIdentified("account_altered", "这个账号被改动过，暂时不能登录，请联系系统管理员。")
    return binding.user, binding


def note_use(binding: DeviceCertificate) -> None:
    """Write down when a certificate was last used; the moment is no part of what is signed."""
    DeviceCertificate.objects.filter(pk=binding.pk).update(used_at=timezone.now())


def check_recent(request: HttpRequest) -> None:
    """Raise ``Conflict`` unless the session of a request began within ten minutes."""
    mark = request.session.get(MARK)
    if not mark or time.time() - mark["at"] > FRESH_S:
        raise Conflict("sign_in_stale", "为了安全，申请和绑定证书要在登录后 10 分钟内完成。请退出后重新登录再试。")


def issue_certificate(
    *, user: User, request_der: bytes, request: HttpRequest
) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return a certificate for the key of a device, made out to the account, and those of its authorities.

    It counts once it is bound. Raises ``Conflict`` for a sign-in that is not recent or one device too many.
    """
    check_recent(request)
    _check_room(user)
    certificate, authorities = connected_gateway().issue(str(user.uid), request_der)
    detail = {"fingerprint": certificate.fingerprint[:16]}
    record_audit(act=AuditAct.CERTIFICATE_ISSUED, actor=user.username, request=request, detail=detail)
    return certificate, authorities


def bind_certificate(
    *, user: User, certificate: Certificate, name: str, code: str, request: HttpRequest
) -> DeviceCertificate:
    """Let a certificate whose device has proved itself stand for an account; a second step is asked where there is one.

    Raises ``Conflict`` for a certificate of somebody else, one that was stopped, or one too many.
    """
    check_recent(request)
    name = name.strip()
    if not name or len(name) > 40:
        raise BadInput("device_name", "请给这台设备起个名字，40 个字以内，例如“工作手机”。")
    _check_code(user, code, request)
    with transaction.atomic():
        return _bound(user, certificate, name, request)


def _bound(user: User, certificate: Certificate, name: str, request: HttpRequest) -> DeviceCertificate:
    User.objects.select_for_update().get(pk=user.pk)
    rows = DeviceCertificate.objects.select_related("user").filter(fingerprint=certificate.fingerprint)
    known = rows.filter(ended_at=None).first()
    if known is not None and known.user_id == user.pk:
        raise Conflict("certificate_bound", "这张证书已经绑定在您的账号上。")
    named = _uid(certificate.common_name)
    others = named is not None and named != user.uid and User.objects.filter(uid=named).exists()
    if known is not None or others:
        raise Conflict("certificate_taken", "这张证书属于别的账号，不能绑定。请为这台设备重新申请证书。")
    if any(each.ended_by != each.user.username for each in rows):
        raise Conflict("certificate_stopped", "这张证书已被管理员停用，不能再绑定。请重新申请证书。")
    _check_room(user)
    bound = DeviceCertificate.objects.create(
        user=user, name=name, fingerprint=certificate.fingerprint, serial=certificate.serial,
        subject=certificate.subject[:300], issuer=certificate.issuer[:300], not_before=certificate.not_before,
        not_after=certificate.not_after, bound_at=timezone.now(),
    )  # fmt: skip
    detail = {"fingerprint": certificate.fingerprint[:16], "device": name}
    record_audit(act=AuditAct.CERTIFICATE_BOUND, actor=user.username, request=request, detail=detail)
    return bound


def end_certificate(*, user: User, uid: UUID, by: str, request: HttpRequest | None = None) -> bool:
    """Let a certificate count no more, end what was begun with it, and have the gateway revoke it.

    Returns whether the gateway was told; here it counts no more in any case. Raises ``NotFound``.
    """
    with transaction.atomic():
        row = DeviceCertificate.objects.select_for_update().filter(user=user, pk=uid, ended_at=None).first()
        if row is None:
            raise NotFound("certificate_unknown", "没有找到这张证书，可能已经停用。")
        end_binding(row, by=by, request=request)
    try:
        connected_gateway().revoke(row.fingerprint)
    except Unavailable:
        return False
    return True


def end_binding(row: DeviceCertificate, *, by: str, request: HttpRequest | None = None) -> None:
    """Write down that a binding has ended, and end the sessions begun with it; the gateway is not told."""
    row.ended_at, row.ended_by = timezone.now(), by
    row.save(update_fields=["ended_at", "ended_by"])
    detail = {"account": row.user.username, "fingerprint": row.fingerprint[:16]}
    record_audit(act=AuditAct.CERTIFICATE_ENDED, actor=by, request=request, detail=detail)
    end_sessions_of_certificate(user=row.user, fingerprint=row.fingerprint, by=by)


def gateway_is_away() -> bool:
    """Say whether the gateway does not answer right now, by asking it something harmless."""
    try:
        connected_gateway().status("0" * 64)
    except Unavailable:
        return True
    return False


def _check_code(user: User, code: str, request: HttpRequest) -> None:
    if second_step_of(user) is None:
        return
    count = f"second-step:{user.pk}"
    cache.add(count, 0, timeout=WRONG_CODES_S)
    if cache.get(count, 0) >= WRONG_CODES:
        raise TooMany("codes_wrong", "验证码错了太多次，请 15 分钟后再试。", retry_after=WRONG_CODES_S)
    if not take_code(user=user, code=code, request=request):
        cache.incr(count)
        raise BadInput("code_wrong", "验证码不对。请输入验证器应用里最新的 6 位数字。")
    cache.delete(count)


def _check_room(user: User) -> None:
    if certificates_of(user).count() >= MOST_DEVICES:
        raise Conflict("certificate_limit", f"一个账号最多绑定 {MOST_DEVICES} 台设备。请先停用不再使用的。")


def _taken(challenge: bytes, purpose: Purpose, request: HttpRequest) -> Challenge:
    """Use a challenge up: the deletion says who was first, whatever runs beside it."""
    place = _place(challenge)
    kept = cache.get(place)
    first = bool(cache.delete(place))
    user = _user(request)
    here = {"purpose": purpose, "host": request.get_host(), "user": user and user.pk, "way": request.session.get(WAY)}
    if not first or kept is None or any(kept[name] != value for name, value in here.items()):
        raise _refused(Verdict.CHALLENGE_UNKNOWN)
    return Challenge(purpose, kept["host"], kept["random"], challenge)


def _refused(verdict: Verdict) -> NotIdentified:
    return NotIdentified(f"certificate_{verdict.value}", WRONG[verdict])


def _place(challenge: bytes) -> str:
    return f"certificate-challenge:{challenge.hex()}"


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) and request.user.is_authenticated else None
