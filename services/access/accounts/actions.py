"""Writes of accounts: make, stop, reset, give and take roles, lend a role to a colleague. Nobody gives what he does not hold."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, Forbidden, NotFound
from geo.regions.models import RegionVersion
from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.access.accounts.queries import EDIT, account_seen, colleagues_to_lend, over, own_grants, roles_to_give
from services.access.actions import declare_roles, grant_role, record_audit
from services.access.models import AuditAct, Grant, Organisation, User, UserKind
from services.access.queries import check_duty, grants_today
from services.access.roles import roles
from services.access.signin.actions import drop_second_step, end_sessions, unlock
from services.access.signin.certificates import end_certificate

LONGEST_LOAN: Final = dt.timedelta(days=183)


@transaction.atomic
def make_account(
    *, username: str, display_name: str, role: str, place: str, scope: Scope, to_day: dt.date | None = None,
    request: HttpRequest | None = None,
) -> tuple[User, str]:  # fmt: skip
    """Make an account of staff with a role over a place, and return it with a password to hand over, which is not kept.

    ``place`` is a region code or a credit code. The password is to be changed at the first sign-in. Raises ``BadInput``,
    ``Conflict``, ``Forbidden``, ``NotFound``.
    """
    check_duty(scope, EDIT)
    if User.objects.filter(username=username.strip()).exists():
        raise Conflict("account_taken", "这个账号名已经有人用了，请换一个。")
    password = secrets.token_urlsafe(12)
    user = User(username=username.strip(), display_name=display_name.strip(), password_given=True)
    user.set_password(password)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as fault:
        raise BadInput("account_invalid", "账号名用字母、数字和 @ . + - _，姓名 60 个字以内。") from fault
    user.save()
    record_audit(act=AuditAct.ACCOUNT_CREATED, actor=scope.actor, request=request, detail={"account": user.username})
    _give(user, role, place, timezone.localdate(), to_day, scope, request)
    return user, password


@transaction.atomic
def give_role(
    *, username: str, role: str, place: str, scope: Scope, from_day: dt.date | None = None, to_day: dt.date | None = None,
    request: HttpRequest | None = None,
) -> Grant:  # fmt: skip
    """Give an account a role over a place for some days. Raises ``BadInput``, ``Conflict``, ``Forbidden``, ``NotFound``."""
    user = _kept(username, scope)
    return _give(user, role, place, from_day or timezone.localdate(), to_day, scope, request)


@transaction.atomic
def take_role(*, username: str, grant_id: int, scope: Scope, request: HttpRequest | None = None) -> Grant:
    """Take a role back at once; what was lent on from it ends with it. Raises ``Forbidden``, ``NotFound``."""
    user = _kept(username, scope)
    grant = Grant.objects.select_for_update().filter(pk=grant_id, user=user, ended_at=None).first()
    if grant is None:
        raise NotFound("grant_unknown", "没有找到这项授权，可能已经收回。")
    return _end(grant, scope.actor, request)


@transaction.atomic
def turn_account(*, username: str, active: bool, scope: Scope, request: HttpRequest | None = None) -> User:
    """Stop an account and end its sessions, or let it sign in again."""
    user = _kept(username, scope)
    if user.is_active != active:
        user.is_active = active
        user.save(update_fields=["is_active"])
        act = AuditAct.ACCOUNT_ENABLED if active else AuditAct.ACCOUNT_DISABLED
        record_audit(act=act, actor=scope.actor, request=request, detail={"account": user.username})
    if not active:
        end_sessions(user=user, by=scope.actor, request=request, reason="stopped")
    return user


@transaction.atomic
def reset_password(*, username: str, scope: Scope, request: HttpRequest | None = None) -> str:
    """Give an account of staff a new password to hand over, and return it; its sessions end. Raises ``Conflict``."""
    user = _kept(username, scope)
    if user.kind != UserKind.STAFF:
        raise Conflict("password_none", "互联网用户通过统一认证登录，请他到认证平台找回密码。")
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.password_given = True
    user.save(update_fields=["password", "password_given"])
    record_audit(act=AuditAct.PASSWORD_RESET, actor=scope.actor, request=request, detail={"account": user.username})
    end_sessions(user=user, by=scope.actor, request=request, reason="password")
    return password


@transaction.atomic
def unlock_account(*, username: str, scope: Scope, request: HttpRequest | None = None) -> None:
    """Let an account that wrong passwords locked try again."""
    unlock(user=_kept(username, scope), by=scope.actor, request=request)


@transaction.atomic
def reset_second_step(*, username: str, scope: Scope, request: HttpRequest | None = None) -> None:
    """Forget the second step of somebody whose telephone is lost; who needs one sets it up anew at the next sign-in."""
    user = _kept(username, scope)
    drop_second_step(user=user, by=scope.actor, request=request)
    end_sessions(user=user, by=scope.actor, request=request, reason="second_step")


def stop_certificate(*, username: str, uid: UUID, scope: Scope, request: HttpRequest | None = None) -> bool:
    """Let a certificate of somebody's device count no more, at once. Returns whether the gateway revoked it, too.

    Raises ``Forbidden``, ``NotFound``.
    """
    with transaction.atomic():
        user = _kept(username, scope)
    return end_certificate(user=user, uid=uid, by=scope.actor, request=request)


@transaction.atomic
def lend_grant(
    *, user: User, grant_id: int, to: str, from_day: dt.date, to_day: dt.date, request: HttpRequest | None = None
) -> Grant:
    """Let a colleague stand in with one's own role, from one day to another and never longer than one holds it oneself.

    Raises ``BadInput`` for odd days and for somebody who is no colleague there, ``NotFound`` for a grant that is not one's own.
    """
    grant = next((each for each in own_grants(user) if each.pk == grant_id), None)
    if grant is None:
        raise NotFound("grant_unknown", "只能委托您自己的、现在有效的授权。")
    today = timezone.localdate()
    if not today <= from_day <= to_day or to_day - from_day > LONGEST_LOAN:
        raise BadInput("days_odd", "委托从今天或以后开始，最长半年，结束日期不能早于开始日期。")
    if grant.to_day and to_day > grant.to_day:
        raise BadInput("days_long", f"您自己的授权到 {grant.to_day:%Y-%m-%d} 为止，委托不能更晚。")
    taker = next((each for each in colleagues_to_lend(user, grant) if each.username == to), None)
    if taker is None:
        raise BadInput("person_unfit", "只能委托给同一辖区或机构里的同事，请从名单里选。")
    _check_sides(taker, grant.role_id, grant.region_id, grant.organisation_id)
    lent = Grant.objects.create(
        user=taker, role=grant.role, region=grant.region, organisation=grant.organisation, from_day=from_day,
        to_day=to_day, granted_by=user.username, lent_from=grant,
    )  # fmt: skip
    detail = {"account": taker.username, "role": grant.role_id, "from": f"{from_day}", "to": f"{to_day}"}
    record_audit(act=AuditAct.GRANT_LENT, actor=user.username, request=request, detail=detail)
    return lent


@transaction.atomic
def end_loan(*, user: User, grant_id: int, request: HttpRequest | None = None) -> Grant:
    """End a loan at once: by who lent it, or by who does not want it. Raises ``NotFound``."""
    rows = Grant.objects.select_for_update(of=("self",)).filter(pk=grant_id, ended_at=None, lent_from__isnull=False)
    grant = rows.select_related("lent_from").first()
    if grant is None or grant.lent_from is None or user.pk not in (grant.user_id, grant.lent_from.user_id):
        raise NotFound("grant_unknown", "没有找到这项委托，可能已经收回。")
    return _end(grant, user.username, request)


def _kept(username: str, scope: Scope) -> User:
    """Return an account that a keeper may act on: one that he sees, and not his own."""
    check_duty(scope, EDIT)
    user = User.objects.select_for_update().get(pk=account_seen(username, scope=scope).pk)
    if user.username == scope.actor:
        raise Forbidden("account_own", "不能处理自己的账号，请另一位管理员来做。")
    return user


def _give(
    user: AbstractUser, role: str, place: str, from_day: dt.date, to_day: dt.date | None, scope: Scope,
    request: HttpRequest | None,
) -> Grant:  # fmt: skip
    assert isinstance(user, User)
    if role not in {each.key for each in roles_to_give(scope, user.kind)}:
        raise Forbidden("role_beyond", "这个角色的权限超出您自己的权限，或不适用于这类用户。")
    region, organisation = _place(place.strip(), scope)
    if organisation is None and next(each for each in roles() if each.key == role).stands_on == "organisation":
        raise BadInput("place_organisation", "这个角色要落在一家机构上，请写机构的统一社会信用代码。")
    _check_sides(user, role, region.region_id if region else None, organisation.pk if organisation else None)
    declare_roles()
    grant = grant_role(
        user=user, role=role, region=region.region if region else None, organisation=organisation, from_day=from_day,
        to_day=to_day, granted_by=scope.actor,
    )  # fmt: skip
    if not Grant.objects.filter(over(scope), pk=grant.pk).exists():
        raise Forbidden("place_beyond", "这个区域或机构不在您的管辖范围内。")
    detail = {"account": user.username, "role": role, "place": place, "from": f"{from_day}", "to": f"{to_day or ''}"}
    record_audit(act=AuditAct.ROLE_GRANTED, actor=scope.actor, request=request, detail=detail)
    return grant


def _place(place: str, scope: Scope) -> tuple[RegionVersion | None, Organisation | None]:
    organisation = Organisation.objects.filter(credit_code=place, active=True).first() if place else None
    if organisation is not None:
        return None, organisation
    if not place:
        raise BadInput("place_missing", "请写下授权的区域代码，或机构的统一社会信用代码。")
    return region_by_code(place, scope=scope), None


def _check_sides(user: User, role: str, region_id: int | None, organisation_id: int | None) -> None:
    """Raise ``Conflict`` where somebody would both take papers in and decide on them over the same place (受办分离)."""
    sides = {each.key: each.side for each in roles()}
    if not sides.get(role):
        return
    same = grants_today(user).filter(region=region_id, organisation=organisation_id)
    if any(sides.get(held) not in ("", sides[role]) for held in same.values_list("role_id", flat=True)):
        raise Conflict("sides_mixed", "同一辖区里，受理和办理要由不同的人负责。请先收回另一项授权，或换一个账号。")


def _end(grant: Grant, by: str, request: HttpRequest | None) -> Grant:
    grant.ended_at, grant.ended_by = timezone.now(), by
    grant.save(update_fields=["ended_at", "ended_by"])
    detail = {"account": grant.user.username, "role": grant.role_id, "lent": grant.lent_from_id is not None}
    record_audit(act=AuditAct.GRANT_ENDED, actor=by, request=request, detail=detail)
    return grant
