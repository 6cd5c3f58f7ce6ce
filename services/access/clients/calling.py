"""The gate every signed call passes: who, from where, how often, what, about whom. All must fit, or nothing is answered.

The order is part of the contract: nobody without the secret learns anything, and a call is counted before it is judged further.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.utils import timezone
from redis.exceptions import RedisError

from geo.errors import CityError, Forbidden, TooLarge, TooMany, Unavailable
from geo.scope import Scope
from services.access.actions import client_address
from services.access.clients.models import ApiClient, ClientCall, ClientKey, Outcome
from services.access.clients.networks import is_listed
from services.access.clients.queries import client_calling, live_secrets, organisations_listed, region_paths
from services.access.clients.registry import operations
from services.access.clients.spec import PARAMETERS, Operation
from services.integrations.signing import APP, refusal, verdict

STRANGERS_A_MINUTE: Final = 60
"""How many unsigned calls of one address are answered and written down; beyond, one line a minute says that there were more."""


@dataclass(slots=True)
class Call:
    """A call on its way: what is known of it so far, for the record."""

    begun: float = field(default_factory=time.perf_counter)
    client: ApiClient | None = None
    key: ClientKey | None = None
    operation: str = ""
    reason: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may be answered: by whom, what was named of the white list, and the scope that follows, no wider."""

    client: ApiClient
    operation: Operation
    named: Mapping[str, str]
    organisation: int | None
    scope: Scope


def admit(request: HttpRequest, operation: str) -> Admitted:
    """Return what a signed call may do. Raises ``Unauthenticated``, ``Forbidden``, ``TooMany``, ``Unavailable``."""
    call = Call(operation=operation)
    request._quantu_call = call  # type: ignore[attr-defined]
    try:
        return _admitted(request, operations()[operation], call)
    except CityError as fault:
        call.reason = call.reason or fault.code
        raise
    except RedisError as fault:
        call.reason = "store_away"
        raise Unavailable("gate_away", "暂时无法核对签名，请稍后重试。", retry_after=5) from fault


def record_call(request: HttpRequest, status: int) -> ClientCall | None:
    """Write down a call that passed the gate or was refused there; ``None`` for every other request."""
    call: Call | None = getattr(request, "_quantu_call", None)
    if call is None or call.silent:
        return None
    refused = bool(call.reason)
    outcome = Outcome.REFUSED if refused else Outcome.ANSWERED if status < 400 else Outcome.FAULTY
    if call.key and not refused:
        today = timezone.localdate()
        if call.key.last_used_on != today:
            ClientKey.objects.filter(pk=call.key.pk).update(last_used_on=today)
    return ClientCall.objects.create(
        client=call.client,
        app=_clean(request.headers.get(APP, ""), 40),
        region_id=call.client.region_id if call.client else None,
        key=call.key.label if call.key else "",
        address=client_address(request),
        method=(request.method or "")[:8],
        path=_clean(request.path, 200),
        operation=call.operation,
        asked_region=_clean(request.GET.get("region", ""), 40),
        asked_organisation=_clean(request.GET.get("organisation", ""), 40),
        outcome=outcome,
        status=status,
        reason=call.reason[:40],
        ms=round((time.perf_counter() - call.begun) * 1000),
    )


def _admitted(request: HttpRequest, operation: Operation, call: Call) -> Admitted:
    client = _signer(request, call)
    if not is_listed(client_address(request), client.networks):
        raise Forbidden(
            "address_not_listed",
            f"访问地址 {client_address(request) or '未知'} 不在平台的白名单里，请联系接口管理员登记。",
        )
    _count(client)
    if operation.key not in client.operations:
        raise Forbidden("operation_not_listed", f"平台未获准调用“{operation.title}”，请联系接口管理员。")
    named = _named(request, operation)
    paths, organisations = region_paths(client), organisations_listed(client)
    if "region" in named and named["region"] not in paths:
        raise Forbidden("region_not_listed", "平台未获准查询这个区域，请求参数要与白名单完全一致。", parameter="region")
    if "organisation" in named and named["organisation"] not in organisations:
        raise Forbidden(
            "organisation_not_listed", "平台未获准查询这家机构，请求参数要与白名单完全一致。", parameter="organisation"
        )
    organisation = organisations.get(named.get("organisation", ""))
    scope = Scope(
        paths=(paths[named["region"]],) if "region" in named else (),
        organisations=frozenset({organisation} if organisation else ()),
        duties=frozenset(operation.duties),
        actor=f"client:{client.app}",
    )
    return Admitted(client, operation, named, organisation, scope)


def _signer(request: HttpRequest, call: Call) -> ApiClient:
    """Return the platform that signed the request. Whatever is wrong, the caller reads the same words; our log reads which."""
    app = request.headers.get(APP, "")
    try:
        body = request.body
    except RequestDataTooBig:
        raise TooLarge("body_too_large", "内容超过 1 MB，请分批提交。") from None
    client = client_calling(app, day=timezone.localdate())
    pairs = live_secrets(client) if client else []
    found = verdict(
        request.headers,
        app=client.app if client else "",
        secrets=[secret for _, secret in pairs],
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        body=body,
        first_use=lambda nonce, seconds: _first_use(app, nonce, seconds),
    )
    if client is None or found.fault:
        call.client, call.reason = client, f"signature_{found.fault or 'app'}"
        _count_stranger(request, call)
        raise refusal()
    call.client, call.key = client, pairs[found.secret][0]
    return client


def _first_use(app: str, nonce: str, seconds: int) -> bool:
    return bool(cache.add(f"nonce:client:{app}:{nonce}", 1, timeout=seconds))


def _named(request: HttpRequest, operation: Operation) -> dict[str, str]:
    """Return the parameters of the white list that the address names, each once. Raises ``Forbidden``."""
    known: set[str] = {*operation.required, *operation.optional, *operation.free}
    strange = sorted(name for name in request.GET if name not in known)
    if strange:
        raise Forbidden("parameter_unknown", f"这个接口没有参数“{strange[0][:40]}”。", parameter=strange[0][:40])
    named = {}
    for name in PARAMETERS:
        given = request.GET.getlist(name)
        if len(given) > 1 or (name in operation.required and not given):
            raise Forbidden(
                "parameter_not_once", f"参数 {name}（{PARAMETERS[name]}）要写，且只写一次。", parameter=name
            )
        if given:
            named[str(name)] = given[0]
    return named


def _count(client: ApiClient) -> None:
    """Count a call against the quotas of the minute and of the day. Raises ``TooMany`` with the seconds to wait."""
    now, minute, day = timezone.localtime(), client.per_minute, client.per_day
    if _one_more(f"calls:{client.pk}:{now:%Y%m%d%H%M}", 120) > minute:
        wait = 60 - now.second
        raise TooMany("minute_quota", f"每分钟最多 {minute} 次，请 {wait} 秒后再试。", retry_after=wait, limit=minute)
    if _one_more(f"calls:{client.pk}:{now:%Y%m%d}", 2 * 86_400) > day:
        wait = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second)
        said = f"今天的 {day:,} 次已用完，请明天再调用，或申请提高额度。"
        raise TooMany("day_quota", said, retry_after=wait, limit=day)


def _count_stranger(request: HttpRequest, call: Call) -> None:
    """Answer an address that signs nothing right only so often: neither the log nor the secrets are there to be hammered."""
    now = timezone.localtime()
    count = _one_more(f"strangers:{client_address(request)}:{now:%Y%m%d%H%M}", 120)
    if count > STRANGERS_A_MINUTE:
        call.silent = count > STRANGERS_A_MINUTE + 1
        call.reason = "too_many_unsigned"
        raise TooMany("too_many_unsigned", "签名不对的请求太多，请稍后再试。", retry_after=60 - now.second)


def _one_more(key: str, seconds: int) -> int:
    """Return how many there are in a window with this one; the name of the key holds the window, so it never restarts."""
    cache.add(key, 0, timeout=seconds)
    return int(cache.incr(key))


def _clean(text: Any, most: int) -> str:
    return str(text).replace("\x00", "")[:most]
