"""HTTP of fences as things move, for platforms: every call is signed and held against white lists."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Body, Query, Router

from geo.crs import System
from geo.errors import BadInput, NotFound, TooLarge
from geo.regions.queries import current_city
from services.access.clients.calling import admit
from services.access.clients.models import ApiClient
from services.fencing.following.actions import Wanted, follow, note_read, remove_receiver, set_receiver, unfollow
from services.fencing.following.intake import OLDEST, said_of, take_positions
from services.fencing.following.models import DeliveryState, FenceDelivery, Following
from services.fencing.following.queries import events_after, number_done, occurrence_of, oldest_number, own_followings
from services.fencing.following.reading import read_rows
from services.fencing.following.schemas import (
    DoneOut,
    EventsIn,
    EventsOut,
    FollowIn,
    FollowingOut,
    PositionsIn,
    ReadIn,
    ReadOut,
    ReceiverIn,
    ReceiverOut,
    RegionIn,
    TakenOut,
)

router = Router(tags=["围栏跟踪"])
MOST: int = 1_000
SIGNED = "请求要签名，做法见 /developer。"


def _gate(operation: str) -> Any:
    return lambda request: admit(request, operation)


def _client(request: HttpRequest) -> ApiClient:
    return request.auth.client  # type: ignore[attr-defined, no-any-return]


@router.get(
    "/followings",
    response=list[FollowingOut],
    summary="跟踪着什么",
    description=f"列出本平台在一个区里约定的跟踪。{SIGNED}",
    auth=_gate("fences.follow"),
)
def read_followings(request: HttpRequest, asked: Query[RegionIn]) -> list[dict[str, Any]]:
    """Return what the platform follows in a district."""
    rows = own_followings(_client(request), scope=request.auth.scope)  # type: ignore[attr-defined]
    return [_following(row, asked.region) for row in rows]


@router.put(
    "/followings/{purpose}",
    response=FollowingOut,
    summary="约定跟踪什么",
    description=f"约定跟踪一个区里一种用途的围栏：哪些围栏、哪些事件。再次约定就取代原来的；新版围栏生效后自动按新版。{SIGNED}",
    auth=_gate("fences.follow"),
)
def put_following(
    request: HttpRequest, purpose: str, asked: Query[RegionIn], said: Body[FollowIn]
) -> dict[str, Any]:  # fmt: skip
    """Say what the platform follows of a purpose in a district."""
    row = follow(
        client=_client(request), purpose=purpose, district=asked.region, wanted=Wanted(**said.model_dump()),
        scope=request.auth.scope,  # type: ignore[attr-defined]
    )  # fmt: skip
    return _following(row, asked.region)


@router.delete(
    "/followings/{purpose}", response=DoneOut, summary="不再跟踪", description=SIGNED, auth=_gate("fences.follow")
)
def delete_following(request: HttpRequest, purpose: str, asked: Query[RegionIn]) -> DoneOut:
    """Follow a purpose in a district no more."""
    scope = request.auth.scope  # type: ignore[attr-defined]
    return DoneOut(done=unfollow(client=_client(request), purpose=purpose, district=asked.region, scope=scope))


@router.post(
    "/positions",
    response=TakenOut,
    summary="上报位置",
    description="上报跟踪对象的位置，逐行答复。没有收到答复就原样重发：同一位置只算一次，同一事件只有一件。"
    f"位置加密保存，一天没有新的上报就删除；事件里没有位置。{SIGNED}",
    auth=_gate("fences.positions"),
)
def post_positions(request: HttpRequest, said: Body[PositionsIn]) -> dict[str, Any]:
    """Take positions into account, and say of each row what became of it."""
    if len(said.positions) > MOST:
        told = f"一次最多 {MOST:,} 行，收到 {len(said.positions):,} 行。请分批上报。"
        raise TooLarge("positions_too_many", told, most=MOST)
    now = timezone.now()
    rows = read_rows(
        said.positions, crs=System.parse(said.crs), plane=current_city().plane,
        received_ms=round(now.timestamp() * 1000), oldest=OLDEST,
    )  # fmt: skip
    taken = take_positions(client=_client(request), rows=rows, now=now)
    return {
        "rows": [{"verdict": verdict, "said": said_of(verdict)} for verdict in taken.verdicts],
        "counts": taken.counts,
        "events": taken.events,
    }


@router.get(
    "/events",
    response=EventsOut,
    summary="读取事件",
    description="按序号读本平台的事件。序号连续，一件不漏；把答复里的 next 存好，下次写在 after 里接着读。写 reader 就当队列用："
    f"处理完用 /events/read 报一声，没有报完成的下次还会给。事件保存 183 天。{SIGNED}",
    auth=_gate("fences.events"),
)
def read_events(request: HttpRequest, asked: Query[EventsIn]) -> dict[str, Any]:
    """Return the events of the platform after a number, or after what one of its programmes has done with."""
    client = _client(request)
    if asked.reader and asked.after is not None:
        raise BadInput("after_or_reader", "after 和 reader 只写一个。", parameter="after")
    after = number_done(client, asked.reader) if asked.reader else asked.after or 0
    rows = events_after(client, after, limit=asked.limit + 1)
    shown = rows[: asked.limit]
    return {
        "events": [occurrence_of(row) for row in shown],
        "next": shown[-1].number if shown else after,
        "more": len(rows) > len(shown),
        "oldest": oldest_number(client),
    }


@router.post(
    "/events/read",
    response=ReadOut,
    summary="报事件处理完了",
    description="报一个程序把事件处理到第几件；它用 reader 读的时候就从下一件给起。没有报之前出了故障，同样的事件会再给一次，"
    f"编号相同就是同一件。{SIGNED}",
    auth=_gate("fences.events"),
)
def post_read(request: HttpRequest, said: Body[ReadIn]) -> dict[str, Any]:
    """Keep up to which event a programme of the platform is done."""
    row = note_read(client=_client(request), name=said.reader, number=said.number)
    return {"reader": row.name, "number": row.number}


@router.get("/receiver", response=ReceiverOut, summary="回调地址", description=SIGNED, auth=_gate("fences.receiver"))
def read_receiver(request: HttpRequest) -> dict[str, Any]:
    """Return where the platform is told, and what has not arrived."""
    return _receiver(_client(request))


@router.put(
    "/receiver",
    response=ReceiverOut,
    summary="设置回调地址",
    description="有事件就向这个地址 POST 一件，按 /developer 的办法签名，密钥是答复里的这一个。答复 2xx 算送达；没有送达的"
    f"按 5 秒、15 秒、1 分钟……重试一天。同一对象的事件按先后送。可能重复送，编号相同就是同一件。{SIGNED}",
    auth=_gate("fences.receiver"),
)
def put_receiver(request: HttpRequest, said: Body[ReceiverIn]) -> dict[str, Any]:
    """Let the platform be told at an address, with a new secret."""
    client = _client(request)
    _, secret = set_receiver(client=client, url=said.url, actor=f"client:{client.app}")
    return {**_receiver(client), "secret": secret}


@router.delete("/receiver", response=DoneOut, summary="取消回调地址", description=SIGNED, auth=_gate("fences.receiver"))
def delete_receiver(request: HttpRequest) -> DoneOut:
    """Tell the platform at its address no more."""
    client = _client(request)
    return DoneOut(done=remove_receiver(client=client, actor=f"client:{client.app}"))


def _following(row: Following, region: str) -> dict[str, Any]:
    names = ("purpose", "fences", "enter", "exit", "cross", "dwell_s", "approach_m", "changed_at")
    return {"region": region, **{name: getattr(row, name) for name in names}}


def _receiver(client: ApiClient) -> dict[str, Any]:
    rows = FenceDelivery.objects.filter(receiver__client=client)
    url = ApiClient.objects.filter(pk=client.pk).values_list("fence_receiver__url", flat=True).first()
    if url is None:
        raise NotFound("receiver_unset", "还没有设置回调地址。用 PUT 设置，或者用 GET /api/v1/fences/events 读取事件。")
    return {
        "url": url,
        "waiting": rows.filter(state=DeliveryState.WAITING).count(),
        "undelivered": rows.filter(state=DeliveryState.DEAD).count(),
    }
