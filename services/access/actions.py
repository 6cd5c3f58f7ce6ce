"""Writes of access: roles, grants, keys, audit entries and the demo accounts."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.models import Region
from services.access.models import ApiKey, AuditAct, AuditEntry, Grant, Organisation, Role, User
from services.access.queries import caller_of, digest_of
from services.access.roles import roles

KEYS_PER_USER = 10


@transaction.atomic
def declare_roles() -> int:
    """Write the declared roles to their table where it says otherwise, and return how many there are."""
    held = {row.key: (row.name, row.duties) for row in Role.objects.all()}
    for role in roles():
        if held.get(role.key) != (
            role.name,
            list(role.duties),
        ):  # a save signs the row anew: in bulk it would not be signed
            Role.objects.update_or_create(key=role.key, defaults={"name": role.name, "duties": list(role.duties)})
    return len(roles())


@transaction.atomic
def grant_role(
    *,
    user: User,
    role: str,
    granted_by: str,
    region: Region | None = None,
    organisation: Organisation | None = None,
    person_id: int | None = None,
    from_day: datetime.date | None = None,
    to_day: datetime.date | None = None,
) -> Grant:
    """Give a role over exactly one region, organisation or person, from ``from_day`` (today) to ``to_day`` (open)."""
    if sum(thing is not None for thing in (region, organisation, person_id)) != 1:
        raise BadInput("grant_unclear", "授权要落在一个区域、一家机构或一个人上，请选其中一项。")
    from_day = from_day or timezone.localdate()
    if to_day and to_day < from_day:
        raise BadInput("grant_backwards", "结束日期早于开始日期，请核对。")
    return Grant.objects.create(
        user=user,
        role_id=role,
        region=region,
        organisation=organisation,
        person_id=person_id,
        from_day=from_day,
        to_day=to_day,
        granted_by=granted_by,
    )


@transaction.atomic
def make_staff_account(
    *,
    username: str,
    password: str,
    role: str,
    region: Region,
    display_name: str = "",
    to_day: datetime.date | None = None,
) -> User:
    """Make an account with a role over a region, both audited; a known account gets the role, and keeps its password.

    ``password`` is not read for a known account. Raises ``BadInput`` for a name or password that is not allowed, or a role
    that is not declared.
    """
    declare_roles()
    if not Role.objects.filter(pk=role).exists():
        raise BadInput("role_unknown", f"没有“{role[:40]}”这个角色。可用：{'、'.join(each.key for each in roles())}。")
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        user = _new_account(username, password, display_name)
        record_audit(act=AuditAct.ACCOUNT_CREATED, actor="system", detail={"account": username})
    elif not user.is_active:
        raise Conflict("account_disabled", "这个账号已停用，请换一个账号名。")
    same = Grant.objects.filter(user=user, role_id=role, region=region, to_day=to_day)
    if not same.exists():
        grant_role(user=user, role=role, region=region, to_day=to_day, granted_by="system")
        record_audit(act=AuditAct.ROLE_GRANTED, actor="system", detail={"account": username, "role": role})
    return user


def _new_account(username: str, password: str, display_name: str) -> User:
    user = User(username=username, display_name=display_name)
    try:
        validate_password(password, user)
        user.set_password(password)
        user.full_clean(exclude=["password"])
    except ValidationError as fault:
        raise BadInput("account_invalid", "".join(fault.messages)) from fault
    user.save()
    return user


@transaction.atomic
def create_api_key(*, user: User, name: str, request: HttpRequest | None = None) -> tuple[ApiKey, str]:
    """Make a key for a user and return it with its token, which is shown this once and not kept."""
    name = name.strip()
    if not name or len(name) > 60:
        raise BadInput("key_name", "请写下密钥的用途，60 个字以内。")
    # Rows of one user are counted under a lock on the user, or two requests could both be the tenth.
    User.objects.select_for_update().get(pk=user.pk)
    if ApiKey.objects.filter(user=user, revoked_at=None).count() >= KEYS_PER_USER:
        raise BadInput("key_limit", f"每个账号最多 {KEYS_PER_USER} 个在用密钥。请先停用不再使用的。")
    prefix = f"qt_{secrets.token_hex(4)}"
    token = f"{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(user=user, name=name, prefix=prefix, digest=digest_of(token))
    record_audit(act=AuditAct.KEY_CREATED, actor=user.username, request=request, detail={"prefix": prefix})
    return key, token


@transaction.atomic
def revoke_api_key(*, user: User, prefix: str, request: HttpRequest | None = None) -> ApiKey:
    """Stop one of the user's own keys; a key that is not theirs does not exist for them."""
    key = ApiKey.objects.select_for_update().filter(user=user, prefix=prefix).first()
    if key is None:
        raise NotFound("key_unknown", "没有找到这个密钥，可能已经停用。")
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record_audit(act=AuditAct.KEY_REVOKED, actor=user.username, request=request, detail={"prefix": prefix})
    return key


def stop_keys(users: Iterable[User]) -> int:
    """Stop every key of some accounts, one by one so that each is signed anew, and return how many there were."""
    keys = list(ApiKey.objects.filter(user__in=users, revoked_at=None))
    for key in keys:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
    return len(keys)


def note_key_use(*, key: ApiKey) -> None:
    """Write down the day a key was last used; one write a day, so that a busy key costs nothing."""
    today = timezone.localdate()
    if key.last_used_on != today:
        ApiKey.objects.filter(pk=key.pk).update(last_used_on=today)


def record_audit(
    *,
    act: AuditAct,
    actor: str | None = None,
    request: HttpRequest | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one line of the audit log; of a request only the path and the address are kept, never the query."""
    if actor is None:
        actor = caller_of(request).name if request is not None else "system"
    return AuditEntry.objects.create(
        act=act,
        actor=actor[:150],
        address=client_address(request) if request is not None else None,
        path=request.path[:200] if request is not None else "",
        detail=dict(detail or {}),
    )


def record_system_scope(reason: str) -> AuditEntry:
    """Write down that the platform itself asked for everything, and why."""
    return record_audit(act=AuditAct.SYSTEM_SCOPE, actor="system", detail={"reason": reason[:300]})


def client_address(request: HttpRequest) -> str | None:
    """Return the caller's network address, or none when it is not known.

    nginx writes it into ``X-Real-IP``, in place of whatever the caller wrote there, and reaches us through a socket or from this
    host. The header is believed from there and from nowhere else. An IPv4 address inside an IPv6 one is said as itself.
    """
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    if peer is not None and not peer.is_loopback:
        return str(peer)
    header = request.headers.get("X-Real-IP")
    found = peer if header is None else _address(header)
    return None if found is None else str(found)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
