"""Writes of platforms: register one, change it, stop it, give it a key, stop a key."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pghistory
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.access.actions import record_audit
from services.access.clients.models import ApiClient, ClientKey
from services.access.clients.networks import networks_of
from services.access.clients.queries import KEEP, SECRET_FIELD, client_kept
from services.access.clients.registry import operations
from services.access.models import AuditAct, Organisation
from services.access.queries import check_city_duty
from services.crypto.identifiers import new_id
from services.crypto.sealing import seal

LIVE_KEYS: Final = 2
MOST_PER_MINUTE: Final = 6_000
MOST_PER_DAY: Final = 1_000_000
MOST_LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a platform is to be: networks, operations, region codes and credit codes as typed, one a line."""

    name: str
    keeper: str
    region: str
    networks: Sequence[str]
    operations: Sequence[str]
    regions: Sequence[str]
    organisations: Sequence[str] = ()
    per_minute: int = 60
    per_day: int = 10_000
    from_day: dt.date | None = None
    to_day: dt.date | None = None


@transaction.atomic
def register_client(*, wanted: Wanted, scope: Scope, request: HttpRequest | None = None) -> ApiClient:
    """Register a platform; it can call once it has a key. Raises ``BadInput``, ``Forbidden``, ``NotFound``."""
    check_city_duty(scope, KEEP)
    client = ApiClient(app=f"pt_{secrets.token_hex(5)}")
    return _keep(client, wanted, scope, request)


@transaction.atomic
def change_client(*, app: str, wanted: Wanted, scope: Scope, request: HttpRequest | None = None) -> ApiClient:
    """Change a platform; its next call follows the new lists. Raises ``BadInput``, ``Forbidden``, ``NotFound``."""
    return _keep(_locked(app, scope), wanted, scope, request)


@transaction.atomic
def turn_client(*, app: str, active: bool, scope: Scope, request: HttpRequest | None = None) -> ApiClient:
    """Stop a platform at once, or let it call again."""
    client = _locked(app, scope)
    if client.active != active:
        client.active, client.changed_by = active, scope.actor
        with pghistory.context(actor=scope.actor):
            client.save()
        _audit(AuditAct.CLIENT_SAVED, client, scope, request, active=active)
    return client


@transaction.atomic
def make_client_key(*, app: str, scope: Scope, request: HttpRequest | None = None) -> tuple[ClientKey, str]:
    """Give a platform a key and return it with its secret, which is shown this once. Raises ``Conflict`` beside two live ones."""
    client = _locked(app, scope)
    if client.keys.filter(stopped_at=None).count() >= LIVE_KEYS:
        raise Conflict("client_keys", "已有两个在用密钥。平台换用新密钥后，请先停用旧的，再发新的。")
    uid, secret = new_id(), secrets.token_urlsafe(32)
    key = ClientKey.objects.create(
        uid=uid, client=client, secret=seal(secret, field=SECRET_FIELD, owner=uid), made_by=scope.actor
    )
    _audit(AuditAct.CLIENT_KEY_MADE, client, scope, request, key=key.label)
    return key, secret


@transaction.atomic
def stop_client_key(*, app: str, label: str, scope: Scope, request: HttpRequest | None = None) -> ClientKey:
    """Stop a key at once, and forget its secret. Raises ``NotFound``."""
    client = _locked(app, scope)
    key = next((each for each in client.keys.filter(stopped_at=None) if each.label == label), None)
    if key is None:
        raise NotFound("client_key_unknown", "没有找到这个密钥，可能已经停用。")
    key.stopped_at, key.stopped_by, key.secret = timezone.now(), scope.actor, ""
    key.save(update_fields=["stopped_at", "stopped_by", "secret"])
    _audit(AuditAct.CLIENT_KEY_STOPPED, client, scope, request, key=label)
    return key


def _locked(app: str, scope: Scope) -> ApiClient:
    found = client_kept(app, scope=scope)
    return ApiClient.objects.select_for_update().get(pk=found.pk)


def _keep(client: ApiClient, wanted: Wanted, scope: Scope, request: HttpRequest | None) -> ApiClient:
    if not wanted.name.strip() or not wanted.keeper.strip():
        raise BadInput("client_unnamed", "请写下平台名称、责任单位和联系人。")
    unknown = [each for each in wanted.operations if each not in operations()]
    if unknown or not wanted.operations:
        raise BadInput("client_operations", "请至少选一个允许调用的接口。")
    if not 1 <= wanted.per_minute <= MOST_PER_MINUTE or not wanted.per_minute <= wanted.per_day <= MOST_PER_DAY:
        raise BadInput(
            "client_quota", f"每分钟 1 到 {MOST_PER_MINUTE:,} 次，每天不少于每分钟的次数、不超过 {MOST_PER_DAY:,} 次。"
        )
    from_day = wanted.from_day or timezone.localdate()
    if wanted.to_day and wanted.to_day < from_day:
        raise BadInput("client_days", "截止日期早于开始日期，请核对。")
    regions = [region_by_code(code, scope=scope).region_id for code in _lines(wanted.regions)]
    organisations = [_organisation(code).pk for code in _lines(wanted.organisations)]
    if not regions and not organisations:
        raise BadInput("client_parameters", "请至少写一个允许查询的区域或机构。")
    client.name, client.keeper = wanted.name.strip()[:80], wanted.keeper.strip()[:120]
    client.region_id = region_by_code(wanted.region.strip(), scope=scope).region_id
    client.networks, client.operations = networks_of(wanted.networks), sorted(set(wanted.operations))
    client.per_minute, client.per_day = wanted.per_minute, wanted.per_day
    client.from_day, client.to_day, client.changed_by = from_day, wanted.to_day, scope.actor
    with pghistory.context(actor=scope.actor):
        client.save()
    client.regions.set(regions)
    client.organisations.set(organisations)
    _audit(
        AuditAct.CLIENT_SAVED, client, scope, request, networks=client.networks, operations=client.operations,
        regions=_lines(wanted.regions), organisations=_lines(wanted.organisations), per_minute=client.per_minute,
        per_day=client.per_day, from_day=f"{client.from_day}", to_day=f"{client.to_day or ''}",
    )  # fmt: skip
    return client


def _organisation(code: str) -> Organisation:
    found = Organisation.objects.filter(credit_code=code).first()
    if found is None:
        raise BadInput("organisation_unknown", f"没有统一社会信用代码为“{code[:18]}”的机构，请核对。")
    return found


def _lines(texts: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(found) > MOST_LISTED:
        raise BadInput("client_lists_long", f"每个名单最多 {MOST_LISTED} 行。")
    return found


def _audit(act: AuditAct, client: ApiClient, scope: Scope, request: HttpRequest | None, **detail: object) -> None:
    record_audit(act=act, actor=scope.actor, request=request, detail={"client": client.app, **detail})
