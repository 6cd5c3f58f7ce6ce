"""Who is asking, and the scope that follows from it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from geo.errors import Forbidden, Unauthenticated
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.models import ApiKey, AuditEntry, Grant, User
from services.access.signed import API_KEY, GRANT, ROLE
from services.crypto.signed_rows import holds


@dataclass(frozen=True, slots=True)
class Caller:
    """The one behind a request: an account through its session or its key, or nobody."""

    user: User | None
    key: ApiKey | None = None

    @property
    def name(self) -> str:
        """Return the name that history and audit write down."""
        return self.user.username if self.user else "public"


def caller_of(request: HttpRequest) -> Caller:
    """Return who is behind a request. A key that is given but not valid is refused, never ignored."""
    cached: Caller | None = getattr(request, "_quantu_caller", None)
    if cached is not None:
        return cached
    token = _token(request)
    if token:
        key = api_key(token)
        caller = Caller(user=key.user, key=key)
    else:
        user = getattr(request, "user", None)
        caller = Caller(user=user if isinstance(user, User) and user.is_authenticated else None)
    request._quantu_caller = caller  # type: ignore[attr-defined]
    return caller


def api_key(token: str) -> ApiKey:
    """Return the live key a token names, or raise ``Unauthenticated`` with the same words whatever is wrong with it."""
    prefix = token[:11]
    key = ApiKey.objects.select_related("user").filter(prefix=prefix, revoked_at=None, user__is_active=True).first()
    if key is None or not hmac.compare_digest(key.digest, digest_of(token)) or not holds(API_KEY, key):
        raise Unauthenticated("api_key_invalid", "这个接口密钥无效或已停用。请在“我的 · 接口密钥”中核对或新建。")
    return key


def digest_of(token: str) -> str:
    """Return the digest under which a key is kept; a key has 256 random bits, so one round is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def scope_of(caller: Caller) -> Scope:
    """Build the scope of a caller from the grants that hold today."""
    if caller.user is None:
        return Scope.public()
    grants = [grant for grant in grants_today(caller.user) if _signed(grant)]
    regions = [grant.region_id for grant in grants if grant.region_id]
    paths = RegionVersion.objects.filter(edition__state="published", region__in=regions).values_list("path", flat=True)
    return Scope(
        paths=tuple(sorted(paths)),
        organisations=frozenset(grant.organisation_id for grant in grants if grant.organisation_id),
        persons=frozenset(grant.person_id for grant in grants if grant.person_id),
        duties=frozenset(duty for grant in grants for duty in grant.role.duties),
        actor=caller.user.username,
    )


def scope_of_account(username: str) -> Scope:
    """Return the scope that an account holds now, for work that goes on after its click. Raises ``Forbidden`` for one stopped."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Forbidden("account_gone", "提交这件事的账号已停用，没有处理。")
    return scope_of(Caller(user))


def _signed(grant: Grant) -> bool:
    """Say whether a grant, its role and the grant it was lent from are as they were signed: altered by hand they give nothing."""
    lender = grant.lent_from
    return holds(ROLE, grant.role) and holds(GRANT, grant) and (lender is None or holds(GRANT, lender))


def scope_for(request: HttpRequest) -> Scope:
    """Return the scope of a request, built once."""
    cached: Scope | None = getattr(request, "_quantu_scope", None)
    if cached is None:
        cached = scope_of(caller_of(request))
        request._quantu_scope = cached  # type: ignore[attr-defined]
    return cached


def holding(day: dt.date, grants: str = "") -> Q:
    """Return the condition that a grant holds on a day; ``grants`` leads to it from another model, such as ``grants__``.

    A grant that was lent holds while the lender's own does, too. Give it to one ``filter`` together with whatever else is asked
    of the same grant.
    """

    def ends(grant: str) -> Q:
        return Q(**{f"{grant}to_day": None}) | Q(**{f"{grant}to_day__gte": day})

    lender = f"{grants}lent_from__"
    lent = Q(**{f"{lender}ended_at": None, f"{lender}user__is_active": True, f"{lender}from_day__lte": day}) & ends(
        lender
    )
    own = Q(**{f"{grants}lent_from": None})
    return Q(**{f"{grants}ended_at": None, f"{grants}from_day__lte": day}) & ends(grants) & (own | lent)


def grants_today(user: User) -> QuerySet[Grant]:
    """Return the grants of a user that hold today, in the city's own calendar day."""
    return Grant.objects.filter(holding(timezone.localdate()), user=user).select_related("role").order_by("id")


def check_duty(scope: Scope, duty: str) -> None:
    """Raise ``Forbidden`` with the missing duty when a scope does not hold it."""
    if not scope.holds(duty):
        raise Forbidden("duty_missing", "您的账号没有这项权限。需要的话可向上级管理员申请。", duty=duty)


def holds_citywide(scope: Scope, duty: str) -> bool:
    """Say whether a scope holds a duty over the whole city, not only over a part of it."""
    return scope.holds(duty) and scope.covers_path(f"{current_city().code}.")


def check_city_duty(scope: Scope, duty: str) -> None:
    """Raise ``Forbidden`` when a scope does not hold a duty, or holds it over a part of the city only."""
    check_duty(scope, duty)
    if not holds_citywide(scope, duty):
        raise Forbidden(
            "city_required", "这件事对全市生效，要由市级管理员来做。需要的话可向市级管理员提出。", duty=duty
        )


def users_holding(duty: str, *, region_ids: Collection[int]) -> list[User]:
    """Return the accounts that hold a duty today by a grant over exactly one of some regions, in the order they were made."""
    users = User.objects.filter(
        holding(timezone.localdate(), "grants__"),
        is_active=True,
        grants__region__in=region_ids,
        grants__role__duties__contains=[duty],
    )
    return list(users.distinct().order_by("pk"))


def keys_of(user: User) -> QuerySet[ApiKey]:
    """Return the keys of a user, newest first."""
    return ApiKey.objects.filter(user=user)


def audit_entries(*, scope: Scope) -> QuerySet[AuditEntry]:
    """Return the audit log, newest first, to those who hold ``audit.view``."""
    check_duty(scope, "audit.view")
    return AuditEntry.objects.all()


def _token(request: HttpRequest) -> str:
    header = request.headers.get("Authorization", "")
    if header[:7].lower() == "bearer ":
        return header[7:].strip()
    return request.headers.get("X-API-Key", "").strip()
