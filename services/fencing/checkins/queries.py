"""Reads of visits and check-ins: a worker's own, those an organisation arranges, those a supervisor looks after."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from geo.errors import Forbidden, NotFound
from geo.regions.queries import within
from geo.scope import Scope
from services.access.models import Grant, Organisation, User
from services.access.queries import check_duty, holding
from services.crypto.masking import mask_name, mask_phone
from services.fencing.checkins.duties import ASSIGN, ATTEND, REPORT, REVIEW, VIEW
from services.fencing.checkins.models import CheckIn, CheckInReview, Face, Said, Visit, VisitState
from services.fencing.checkins.sealing import Home, home_of

AFTER: Final = dt.timedelta(hours=24)
"""How long after a visit it may still be confirmed by words, and its home is shown to who went there."""
MOST_OWN: Final = 60
MOST_LISTED: Final = 200
BAD_FACES: Final = (Face.MISSING, Face.DIFFERENT, Face.NOT_LIVE, Face.UNCLEAR, Face.NOT_ENROLLED)
DOUBTFUL: Final = Q(counts=True) & (
    Q(manual=True) | Q(verdict=Said.SUSPECT) | Q(face__in=BAD_FACES) | Q(later__verdict__in=BAD_FACES)
)
"""The check-ins that somebody has to look at."""


def own_visits(*, scope: Scope, now: dt.datetime | None = None) -> list[Visit]:
    """Return the visits of who asks, those still open of yesterday first, then those to come; the next ones only."""
    check_duty(scope, ATTEND)
    moment = now or timezone.now()
    rows = Visit.objects.filter(worker__username=scope.actor, to_at__gte=moment - AFTER)
    rows = rows.exclude(state=VisitState.CANCELLED).select_related("organisation", "worker")
    return list(rows.order_by("from_at", "pk")[:MOST_OWN])


def own_visit(uid: UUID, *, scope: Scope) -> Visit:
    """Return a visit of who asks. Raises ``NotFound`` for every other."""
    check_duty(scope, ATTEND)
    rows = Visit.objects.filter(uid=uid, worker__username=scope.actor)
    found = rows.select_related("organisation", "worker").first()
    if found is None:
        raise NotFound("visit_unknown", "没有找到这次上门，它可能改派给了别人。请回到“我的上门”看一下。")
    return found


def home_shown(visit: Visit, *, scope: Scope, now: dt.datetime | None = None) -> Home | None:
    """Return the home of one's own visit around its time, None before and after."""
    moment = now or timezone.now()
    around = visit.from_at - dt.timedelta(hours=visit.spec.shown_h) <= moment <= visit.to_at + AFTER
    return home_of(visit) if visit.open and around and visit.worker.username == scope.actor else None


def counted(visit: Visit) -> dict[str, CheckIn]:
    """Return the check-ins that confirmed a visit, by act."""
    return {row.act: row for row in visit.checkins.filter(counts=True).select_related("later", "review")}


def last_attempt(visit: Visit) -> CheckIn | None:
    """Return the latest check-in of a visit, whether it counts or not."""
    return visit.checkins.order_by("-pk").first()


def visits_arranged(
    *, scope: Scope, day: dt.date | None = None, state: str = "", organisation: int | None = None
) -> QuerySet[Visit]:
    """Return the visits that the scope's organisations arrange, or that lie in its regions, of a day; the earliest first."""
    if not (scope.holds(ASSIGN) or scope.holds(VIEW)):
        check_duty(scope, VIEW)
    rows = Visit.objects.filter(_seen(scope)).select_related("organisation", "worker")
    if day is not None:
        begin = timezone.make_aware(dt.datetime.combine(day, dt.time()))
        rows = rows.filter(from_at__gte=begin, from_at__lt=begin + dt.timedelta(days=1))
    if state in VisitState.values:
        rows = rows.filter(state=state)
    if organisation is not None:
        rows = rows.filter(organisation=organisation)
    return rows.order_by("from_at", "pk")


def visit_arranged(number: str, *, scope: Scope) -> Visit:
    """Return one of them by its number. Raises ``NotFound``."""
    found = visits_arranged(scope=scope).filter(number=number[:20]).first()
    if found is None:
        raise NotFound("visit_unknown", "没有找到这次上门，它可能不属于您的单位或管辖范围。")
    return found


def visit_reported(*, number: str, external: str, scope: Scope) -> Visit:
    """Return a visit of the scope's organisations by our number or by theirs. Raises ``NotFound``."""
    check_duty(scope, REPORT)
    rows = Visit.objects.filter(organisation__in=scope.organisations)
    named = rows.filter(number=number[:20]) if number else rows.filter(external=external[:60]).exclude(external="")
    if (found := named.first()) is None:
        raise NotFound("visit_unknown", "这家单位名下没有这次上门，请核对编号。")
    return found


def organisations_assigning(*, scope: Scope) -> list[Organisation]:
    """Return the organisations for which the scope may arrange visits. Raises ``Forbidden`` where there are none."""
    check_duty(scope, ASSIGN)
    found = list(Organisation.objects.filter(pk__in=scope.organisations, active=True).order_by("name", "pk"))
    if not found:
        raise Forbidden("organisation_missing", "您的账号还没有关联服务单位，请联系区级管理员。")
    return found


def workers_of(organisation: int) -> list[User]:
    """Return the accounts that serve for an organisation today, by name."""
    held = Grant.objects.filter(
        holding(timezone.localdate()), user=OuterRef("pk"), organisation=organisation, role__duties__contains=[ATTEND]
    )
    return list(User.objects.filter(Exists(held), is_active=True).order_by("display_name", "username"))


def checkins_seen(*, scope: Scope) -> QuerySet[CheckIn]:
    """Return the check-ins of the scope's regions and organisations, the latest first. Needs ``checkins.view``."""
    check_duty(scope, VIEW)
    rows = CheckIn.objects.filter(_seen(scope))
    return rows.select_related("visit", "worker", "organisation", "later", "review").order_by("-at", "-pk")


def checkin_seen(pk: int, *, scope: Scope) -> CheckIn:
    """Return one of them. Raises ``NotFound``."""
    found = checkins_seen(scope=scope).filter(pk=pk).first() if 0 < pk < 2**63 else None
    if found is None:
        raise NotFound("checkin_unknown", "没有找到这条打卡记录，它可能不在您的管辖范围内。")
    return found


def to_review(*, scope: Scope) -> QuerySet[CheckIn]:
    """Return the check-ins that wait for a look, the oldest first."""
    reviewed = CheckInReview.objects.filter(checkin=OuterRef("pk"))
    return checkins_seen(scope=scope).filter(DOUBTFUL, ~Exists(reviewed)).order_by("at", "pk")


def waiting_for(scope: Scope) -> int:
    """Return how many check-ins wait for a look of whoever may decide, for the side navigation."""
    return to_review(scope=scope).count() if scope.holds(REVIEW) and scope.holds(VIEW) else 0


@dataclass(frozen=True, slots=True)
class Day:
    """What became of a day: its visits by state, its check-ins by verdict, hint and face."""

    day: dt.date
    visits: Counter[str]
    verdicts: Counter[str]
    hints: Counter[str]
    faces: Counter[str]
    missed: int


def day_counts(day: dt.date, *, scope: Scope, organisation: int | None = None, now: dt.datetime | None = None) -> Day:
    """Return the counts of a day. ``missed`` visits are over and nobody checked in."""
    visits = visits_arranged(scope=scope, day=day, organisation=organisation).order_by()
    rows = checkins_seen(scope=scope).filter(visit__in=visits).order_by()
    found = list(rows.values_list("verdict", "hints", "face"))
    moment = now or timezone.now()
    return Day(
        day,
        Counter(visits.values_list("state", flat=True)),
        Counter(verdict for verdict, _, _ in found),
        Counter(hint for _, hints, _ in found for hint in hints),
        Counter(face for _, _, face in found),
        visits.filter(state=VisitState.PLANNED, to_at__lt=moment).count(),
    )


def masked_home(visit: Visit) -> tuple[str, str]:
    """Return family name and number of a home as those may read them who need to recognise it."""
    home = home_of(visit)
    return mask_name(home.name), mask_phone(home.phone) if home.phone else ""


def _seen(scope: Scope) -> Q:
    return within(scope) | Q(organisation__in=scope.organisations)
