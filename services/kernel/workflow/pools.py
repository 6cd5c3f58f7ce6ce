"""Reads of pools (资源池): who of a district handles which matters, and so who may take what waits there.

A district that put nobody into its pool for a matter has no pool for it: whoever holds the duty may take the work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from geo.errors import Forbidden
from geo.regions.models import RegionVersion
from geo.regions.queries import versions_of, within
from geo.scope import Scope
from services.access.models import Grant, User
from services.access.queries import check_duty
from services.kernel.messages.choosing import chain_of
from services.kernel.workflow.choosing import regions_below
from services.kernel.workflow.models import PoolMember, Task
from services.kernel.workflow.registry import matters

DUTY = "cases.dispatch"
Closed = tuple[tuple[frozenset[int], frozenset[str]], ...]
"""Regions, and the matters of which others handle what waits there."""


def districts_kept(*, scope: Scope) -> list[RegionVersion]:
    """Return the districts whose pools the scope keeps. Needs ``cases.dispatch``."""
    check_duty(scope, DUTY)
    return list(versions_of(scope=scope).filter(within(scope), level="district").order_by("code"))


def district_kept(code: str, *, scope: Scope) -> RegionVersion:
    """Return a district (by code) whose pool the scope keeps, the first of them for ''. Raises ``Forbidden``."""
    for version in districts_kept(scope=scope):
        if code in ("", version.code):
            return version
    raise Forbidden("region_outside_scope", "这个区的资源池由它自己的经办机构维护。")


def members_of(region_id: int) -> QuerySet[PoolMember]:
    """Return who is in a district's pool, in the order of their names."""
    return PoolMember.objects.filter(region=region_id).select_related("user").order_by("user__display_name", "user")


def candidates(region_id: int) -> list[User]:
    """Return the accounts that handle cases in a district and are not in its pool yet."""
    today = timezone.localdate()
    grants = Grant.objects.filter(region__in=regions_below(region_id), from_day__lte=today).exclude(to_day__lt=today)
    handling = [
        grant.user_id
        for grant in grants.select_related("role")
        if any(duty.startswith("cases.") and duty != "cases.view" for duty in grant.role.duties)
    ]
    known = PoolMember.objects.filter(region=region_id).values("user")
    return list(
        User.objects.filter(pk__in=handling, is_active=True).exclude(pk__in=known).order_by("display_name", "pk")
    )


def pooled(task: Task, people: Iterable[User]) -> list[User]:
    """Return those of the people who handle a task's matter in its district's pool; all of them where there is none for it."""
    everyone = list(people)
    if not task.matter or task.region_id is None:
        return everyone
    rows = PoolMember.objects.filter(region__in=chain_of(task.region_id), paused=False)
    members = {user for user, keys in rows.values_list("user", "matters") if not keys or task.matter in keys}
    return [each for each in everyone if each.pk in members] if members else everyone


def closed_to(user: User) -> Closed:
    """Return where and for which matters the pools leave work to others than an account."""
    by_district: dict[int, list[tuple[int, list[str]]]] = defaultdict(list)
    for region, member, keys in PoolMember.objects.filter(paused=False).values_list("region", "user", "matters"):
        by_district[region].append((member, keys))
    closed = []
    for region, members in by_district.items():
        handled = {key: {who for who, keys in members if not keys or key in keys} for key in matters()}
        away = frozenset(key for key, who in handled.items() if who and user.pk not in who)
        if away:
            closed.append((regions_below(region), away))
    return tuple(closed)
