"""HTTP of messages: the receipts the gateway posts (signed), and the caller's own messages."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, ValidationError

from geo.errors import BadInput, Unauthenticated
from services.access.queries import caller_of
from services.integrations.signing import check_signed
from services.integrations.sms.schemas import Posted
from services.kernel.messages.queries import messages_of, unread_count
from services.kernel.messages.receipts import take_receipts

callbacks = Router(tags=["消息"])
router = Router(tags=["消息"])
SHOWN: Final = 50


class MessagesIn(Schema):
    """Which of the caller's messages are asked for."""

    unread: bool = Field(False, description="只要未读的", examples=[True])


class MessageOut(Schema):
    """One in-app message of the caller."""

    id: UUID
    event: str
    title: str
    body: str
    link: str
    at: dt.datetime
    read: bool


class MessagesOut(Schema):
    """The caller's messages, unread ones first, and how many are unread (100 means at least 100)."""

    unread: int
    messages: list[MessageOut]


class ReceiptsOut(Schema):
    """How many posted receipts were new, known already, or not ours."""

    taken: int
    known: int
    unknown: int


@callbacks.post(
    "/messages/receipts",
    response=ReceiptsOut,
    summary="短信平台推送回执（签名）",
    description="由短信平台调用，请求要用约定的密钥签名。返回几条回执是新的、几条早已收到、几条不是本系统发的；重复推送不会重复记录。",
)
def post_receipts(request: HttpRequest) -> ReceiptsOut:
    """Take receipts that the gateway posts. Refuses what is not signed with our secret, is old, or was posted before."""
    check_signed(
        request.headers,
        app=settings.SMS_APP,
        secret=settings.SMS_SECRET,
        method=request.method or "",
        path=request.path,
        body=request.body,
        first_use=_first_use,
    )
    try:
        posted = Posted.model_validate_json(request.body)
    except ValidationError as fault:
        raise BadInput("receipts_invalid", "回执读不懂，请对照接口约定核对。") from fault
    counted = take_receipts(posted.receipts)
    return ReceiptsOut(taken=counted.taken, known=counted.known, unknown=counted.unknown)


@router.get(
    "/messages",
    response=MessagesOut,
    summary="我的站内消息",
    description="返回本账号最近的站内消息，最多 50 条，未读的在前。unread 是未读条数，100 表示至少 100 条。",
)
def own_messages(request: HttpRequest, ask: Query[MessagesIn]) -> MessagesOut:
    """Return the caller's newest messages, at most 50, unread ones first."""
    user = caller_of(request).user
    if user is None:
        raise Unauthenticated("sign_in_required", "请先登录，或在请求头里带上接口密钥。")
    rows = messages_of(user, unread=ask.unread)[:SHOWN]
    return MessagesOut(
        unread=unread_count(user),
        messages=[
            MessageOut(
                id=row.pk, event=row.event, title=row.title, body=row.body, link=row.link, at=row.visible_from,
                read=row.read_at is not None,
            )
            for row in rows
        ],
    )  # fmt: skip


def _first_use(nonce: str, seconds: int) -> bool:
    return bool(cache.add(f"nonce:sms:{nonce}", 1, timeout=seconds))
