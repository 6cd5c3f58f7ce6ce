"""What the container of a mobile terminal calls: challenges, signing in by certificate, certificates, sealed sessions.

Values of bytes are written in Base64. The steps, and what is signed at each, are told in docs/how-to/access.md.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from geo.errors import BadInput, CityError, Conflict
from services.access.actions import record_audit
from services.access.models import AuditAct, User
from services.access.signin import certificates, flow
from services.access.transport.sessions import begin_session
from services.integrations.gateway.client import Asked
from services.integrations.gateway.texts import RANDOM_BYTES, Purpose
from services.integrations.identity.spec import NotIdentified

router = Router(tags=["证书和安全会话"])
own = Router(tags=["证书和安全会话"])
Random = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$", description=f"{RANDOM_BYTES} 字节，Base64")]
Written = Annotated[str, Field(max_length=16_000, pattern=r"^[A-Za-z0-9+/]+={0,2}$", description="Base64")]


class ChallengeIn(BaseModel):
    purpose: Purpose = Field(..., description="sign_in 登录、bind 绑定证书、session 建立安全会话", examples=["sign_in"])
    random: Random


class ChallengeOut(BaseModel):
    purpose: str
    host: str = Field(..., description="服务端的主机名；设备只为自己要访问的主机签名")
    random: str
    challenge: str
    expires_at: datetime
    site: str = Field(..., description="站点签名证书（DER）")
    encryption: str = Field(..., description="站点加密证书（DER）")
    authorities: list[str]
    signature: str = Field(..., description="站点的签名；设备验过再签自己的")


class AnswerIn(BaseModel):
    challenge: Random
    certificate: Written = Field(..., description="设备的签名证书（DER），Base64")
    signature: Written


class SignedInOut(BaseModel):
    signed_in: bool = Field(..., description="否：还有一步要做，打开 next")
    next: str


class RequestIn(BaseModel):
    request: Written = Field(..., description="证书申请（PKCS#10）")


class IssuedOut(BaseModel):
    certificate: str
    authorities: list[str]
    subject: str


class BindIn(AnswerIn):
    name: str = Field(..., description="设备的名字", examples=["工作手机"])
    code: str = Field("", description="启用了两步验证的账号：验证器应用里的 6 位数字", max_length=40)


class BoundOut(BaseModel):
    id: str
    name: str
    not_after: datetime


class SessionIn(AnswerIn):
    sealed_secret: Written = Field(..., description="用站点加密证书封好的 48 字节，Base64")


class SessionOut(BaseModel):
    session: str
    expires_at: datetime
    signature: str = Field(..., description="站点对这个会话的签名")


@router.post("/certificates/challenge", response=ChallengeOut, summary="取一个验证挑战")
def post_challenge(request: HttpRequest, body: ChallengeIn) -> dict[str, Any]:
    """挑战两分钟内有效，只能用一次，而且只在取它的这次会话里有效。先验站点的签名，再签自己的。"""
    return shape_of(certificates.show_challenge(purpose=body.purpose, random=_bytes(body.random), request=request))


@router.post("/certificates/sign-in", response=SignedInOut, summary="用证书登录")
def post_sign_in(request: HttpRequest, body: AnswerIn) -> dict[str, Any]:
    """验证通过就登录到证书绑定的账号。已经输过密码的，证书必须是同一个账号的。"""
    try:
        return _signed_in(request, body)
    except CityError as fault:
        detail = {"how": flow.CERTIFICATE, "code": fault.code}
        record_audit(act=AuditAct.SIGN_IN_REFUSED, request=request, detail=detail)
        raise


@own.post("/certificates/issue", response=IssuedOut, summary="为本机的密钥申请证书")
def post_issue(request: HttpRequest, body: RequestIn) -> dict[str, Any]:
    """登录后 10 分钟内可以申请。证书签发给您的账号，绑定以后才能用来登录。"""
    user = _account(request)
    made, authorities = certificates.issue_certificate(user=user, request_der=_bytes(body.request), request=request)
    return {
        "certificate": _text(made.der),
        "authorities": [_text(each.der) for each in authorities],
        "subject": str(user.uid),
    }


@own.post("/certificates/bind", response=BoundOut, summary="把证书绑定到我的账号")
def post_bind(request: HttpRequest, body: BindIn) -> dict[str, Any]:
    """设备签了挑战，证明私钥在它手里，证书才绑定。一张证书只属于一个账号。"""
    certificate, _ = certificates.judge(_answered(body), purpose="bind", request=request)
    bound = certificates.bind_certificate(
        user=_account(request), certificate=certificate, name=body.name, code=body.code, request=request
    )
    return {"id": str(bound.pk), "name": bound.name, "not_after": bound.not_after}


@own.post("/sealed/sessions", response=SessionOut, summary="建立安全会话")
def post_session(request: HttpRequest, body: SessionIn) -> dict[str, Any]:
    """用证书建立会话，以后的请求封好发到 /api/v1/sealed。会话只属于这个账号。"""
    certificate, opened = certificates.judge(
        _answered(body, _bytes(body.sealed_secret)), purpose="session", request=request
    )
    user, binding = certificates.account_of(certificate)
    if user.pk != _account(request).pk or opened is None:
        raise NotIdentified("certificate_other", "这张证书属于别的账号，没有建立安全会话。")
    certificates.note_use(binding)
    begin_session(user=user, fingerprint=binding.fingerprint, opened=opened)
    return {"session": opened.session, "expires_at": opened.expires_at, "signature": _text(opened.signature)}


def shape_of(asked: Asked) -> dict[str, Any]:
    """Return a challenge as the API and the page write it."""
    question = asked.question
    return {
        "purpose": question.purpose,
        "host": question.host,
        "random": _text(question.random),
        "challenge": _text(question.challenge),
        "expires_at": asked.expires_at,
        "site": _text(asked.site.der),
        "encryption": _text(asked.encryption.der),
        "authorities": [_text(each.der) for each in asked.authorities],
        "signature": _text(asked.signature),
    }


def _signed_in(request: HttpRequest, body: AnswerIn) -> dict[str, Any]:
    certificate, _ = certificates.judge(_answered(body), purpose="sign_in", request=request)
    user, binding = certificates.account_of(certificate)
    if isinstance(request.user, User):
        raise Conflict("signed_in_already", "您已经登录。换账号请先退出登录。")
    found = flow.pending(request)
    if found is not None and found[0].pk != user.pk:
        raise NotIdentified("certificate_other", "这张证书属于别的账号。请用您自己的手机和证书。")
    certificates.note_use(binding)
    if found is not None:
        following = flow.pass_certificate(request, user, fingerprint=binding.fingerprint)
    else:
        following = flow.begin(request, user, target="/account", how=flow.CERTIFICATE, certificate=binding.fingerprint)
    return {"signed_in": flow.MARK in request.session, "next": following}


def _answered(body: AnswerIn, sealed_secret: bytes = b"") -> certificates.Answered:
    return certificates.Answered(
        _bytes(body.challenge), _bytes(body.certificate), _bytes(body.signature), sealed_secret
    )  # fmt: skip


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as fault:
        raise BadInput("base64_invalid", "内容要写成 Base64。请对照 /api/docs 核对。") from fault


def _account(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Conflict("sign_in_needed", "证书要由本人登录后申请和绑定，接口密钥不行。")
    return request.user


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
