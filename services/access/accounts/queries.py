"""Reads of accounts: those a keeper sees, one of them, the roles a keeper may give, and what was lent."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils import timezone

from geo.errors import NotFound
from geo.regions.models import EditionState, RegionVersion
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import Grant, User, UserKind
from services.access.queries import check_duty, grants_today, holding, holds_citywide
from services.access.roles import RoleDeclaration, roles

VIEW, EDIT = "accounts.view", "accounts.edit"
LONGEST_QUERY = 60


def over(scope: Scope, grant: str = "") -> Q:
    """Return the condition that a grant stands on a place or an organisation of a scope."""
    places = within(scope, f"{grant}region") & ~Q(**{f"{grant}region": None})
    below = within(scope, f"{grant}organisation__region") & ~Q(**{f"{grant}organisation__region": None})
    return places | below | Q(**{f"{grant}organisation__in": scope.organisations})


def accounts_visible(*, scope: Scope, kind: str = UserKind.STAFF, q: str = "", stopped: bool = False) -> QuerySet[User]:
    """Return accounts by name: those of residents to city keepers, those of staff also to keepers of the place they work for.

    Raises ``Forbidden`` without the duty.
    """
    check_duty(scope, VIEW)
    rows = User.objects.filter(kind=kind, is_active=not stopped)
    if q.strip():
        words = q.strip()[:LONGEST_QUERY]
        rows = rows.filter(Q(username__icontains=words) | Q(display_name__icontains=words))
    if not holds_citywide(scope, VIEW):
        rows = rows.none() if kind == UserKind.RESIDENT else rows.filter(pk__in=_keepers_users(scope))
    return rows.order_by("username")


def account_seen(username: str, *, scope: Scope) -> User:
    """Return one account that a keeper sees. Raises ``Forbidden``, ``NotFound``."""
    check_duty(scope, VIEW)
    rows = User.objects.filter(username=username[:150])
    if not holds_citywide(scope, VIEW):
        rows = rows.filter(kind=UserKind.STAFF, pk__in=_keepers_users(scope))
    found = rows.first()
    if found is None:
        raise NotFound("account_unknown", "没有找到这个账号，或者它不在您的管辖范围内。")
    return found


def grants_of(user: User) -> QuerySet[Grant]:
    """Return all grants of an account, those that ended too, newest first."""
    return (
        Grant.objects.filter(user=user)
        .select_related("role", "region", "organisation", "lent_from__user")
        .order_by("-pk")
    )


def roles_to_give(scope: Scope, kind: str) -> list[RoleDeclaration]:
    """Return the roles a keeper may give to accounts of a kind; residents' and ``citywide`` ones take a citywide keeper."""
    if not scope.holds(EDIT):
        return []
    whole = holds_citywide(scope, EDIT)
    return [
        each
        for each in roles()
        if str(each.audience) == kind and (whole or each.audience == "staff" and not each.citywide)
    ]


def place_of(grant: Grant) -> str:
    """Return what a grant stands on in words."""
    if grant.organisation_id:
        return str(grant.organisation)
    if grant.region_id:
        rows = RegionVersion.objects.filter(region=grant.region_id, edition__state=EditionState.PUBLISHED)
        return rows.values_list("name", flat=True).first() or "已撤销的区划"
    return "本人"


def colleagues_to_lend(user: User, grant: Grant) -> list[User]:
    """Return whom one may lend a grant to: staff who work today in its region, above or below it, or in its organisation."""
    today = timezone.localdate()
    if grant.organisation_id:
        same = Q(grants__organisation=grant.organisation_id)
    else:
        path = RegionVersion.objects.filter(region=grant.region_id, edition__state=EditionState.PUBLISHED).values_list(
            "path", flat=True
        )
        paths = list(path[:1])
        if not paths:
            return []
        under = RegionVersion.objects.filter(path__startswith=paths[0], edition__state=EditionState.PUBLISHED)
        same = Q(grants__region__in=under.values("region_id"))
    users = User.objects.filter(holding(today, "grants__"), same, is_active=True, kind=UserKind.STAFF)
    return list(users.exclude(pk=user.pk).distinct().order_by("username"))


def own_grants(user: User) -> list[Grant]:
    """Return the grants of one's own that may be lent: staff roles over a place or an organisation, not borrowed ones."""
    staff = [role.key for role in roles() if role.audience == "staff"]
    rows = grants_today(user).filter(role__in=staff, lent_from=None, person_id=None)
    return list(rows.select_related("region", "organisation"))


def lent_by(user: User) -> list[Grant]:
    """Return what one has lent that holds today or will."""
    return list(_lent(Q(lent_from__user=user)))


def lent_to(user: User) -> list[Grant]:
    """Return what was lent to one that holds today or will."""
    return list(_lent(Q(user=user, lent_from__isnull=False)))


def _lent(whose: Q) -> QuerySet[Grant]:
    today: dt.date = timezone.localdate()
    rows = Grant.objects.filter(whose, ended_at=None, to_day__gte=today, lent_from__ended_at=None)
    return rows.select_related("role", "user", "lent_from__user", "region", "organisation").order_by("from_day", "pk")


def _keepers_users(scope: Scope) -> QuerySet[Grant, int]:
    """Return the users whose grants all stand inside a scope: who also works for a wider place is kept from there."""
    inside = Grant.objects.filter(over(scope), ended_at=None).values("user")
    wider = Grant.objects.filter(ended_at=None, user__in=inside).exclude(
        pk__in=Grant.objects.filter(over(scope)).values("pk")
    )
    return Grant.objects.filter(user__in=inside).exclude(user__in=wider.values("user")).values_list("user", flat=True)
