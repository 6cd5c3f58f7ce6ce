"""Whether a point has advisers enough: judged by the rules of its region whenever somebody comes, leaves or moves, and every day.

The point's row is locked while it is judged, so that of two who leave at once the later sees both gone: one alert, told once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import pghistory
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from geo.errors import NotFound, Unavailable
from geo.regions.models import Level
from geo.regions.queries import path_of
from geo.scope import Scope
from services.access.queries import users_holding
from services.facilities.models import Facility, FacilityStatus
from services.kernel.messages.actions import send_message
from services.kernel.rules.decisions import decide
from services.modules.advisers.message_events import ENOUGH, SHORT
from services.modules.advisers.models import SITE_KIND, Adviser, Post, StaffingAlert
from services.modules.advisers.rules import STAFFING

_CLOSED: Final = "顾问点已停用"
_ENOUGH: Final = "人员已恢复"
_LOWERED: Final = "人数要求降低"
_UNASKED: Final = "规则不再要求"


@transaction.atomic
def judge_site(*, site_id: int, keep: bool = True) -> StaffingAlert | None:
    """Open, bring up to date or clear the alert of a point, tell its keepers, and return the alert that is open now.

    ``keep`` writes down the decision of the rules. Rules that cannot run leave everything as it is: their own keepers are told.
    """
    site = Facility.objects.select_for_update(of=("self",)).filter(pk=site_id, kind=SITE_KIND).first()
    if site is None:
        return None
    present = Adviser.objects.filter(site=site, post=Post.IN_POST).count()
    alert = StaffingAlert.objects.filter(site=site, state="open").first()
    try:
        least, unasked = _least(site, keep=keep)
    except Unavailable:
        return alert
    if present >= least:
        if alert is not None:
            _clear(alert, site, present, unasked or (_ENOUGH if present > alert.present else _LOWERED))
        return None
    if alert is None:
        return _open(site, present, least)
    if (alert.present, alert.least) != (present, least):
        alert.present, alert.least = present, least
        alert.save(update_fields=["present", "least"])
    return alert


def judge_sites(site_ids: Iterable[int | None]) -> None:
    """Judge points one after another, in one order for everybody, so that none waits for another in a circle."""
    for site_id in sorted({each for each in site_ids if each is not None}):
        judge_site(site_id=site_id)


def judge_all() -> int:
    """Bring posts up to the day, judge every point anew, and return how many alerts are open: thresholds change by themselves."""
    turn_posts(timezone.localdate())
    for site_id in Facility.objects.filter(kind=SITE_KIND).order_by("pk").values_list("pk", flat=True):
        judge_site(site_id=site_id, keep=False)
    return StaffingAlert.objects.filter(state="open").count()


@transaction.atomic
def turn_posts(day: dt.date) -> int:
    """Let begin who was to begin by a day, and leave whose last day is over; return how many posts changed."""
    begin = Q(post=Post.COMING, from_day__lte=day)
    over = Q(to_day__lt=day) & ~Q(post=Post.LEFT)
    changed = list(Adviser.objects.select_for_update().filter(begin | over).order_by("pk"))
    with pghistory.context(actor="system"):
        for adviser in changed:
            adviser.post = post_on(day, from_day=adviser.from_day, to_day=adviser.to_day)
            adviser.save(update_fields=["post", "updated_at"])
    return len(changed)


def post_on(day: dt.date, *, from_day: dt.date, to_day: dt.date | None) -> Post:
    """Return what an adviser's days make of the post on a day."""
    if to_day is not None and to_day < day:
        return Post.LEFT
    return Post.COMING if from_day > day else Post.IN_POST


def _least(site: Facility, *, keep: bool) -> tuple[int, str]:
    """Return how many advisers a point needs, and where it needs none, why."""
    if site.retired_at is not None or site.status != FacilityStatus.OPEN:
        return 0, _CLOSED
    if site.region_id is None:
        return 0, _UNASKED
    try:
        decided = decide(
            STAFFING.key, facts_of(site), region_id=site.region_id, subject=f"adviser-site:{site.pk}", keep=keep
        )
    except NotFound:  # nobody has written a threshold
        return 0, _UNASKED
    wanted = decided.outputs["least"]
    least = int(wanted) if isinstance(wanted, Decimal) else 0
    return least, "" if least else _UNASKED


def facts_of(site: Facility) -> dict[str, object]:
    """Return what the rules may know of a point."""
    names = {each.level: each.name for each in path_of(site.region_id, scope=Scope.public())} if site.region_id else {}
    opened = site.attributes.get("opened_on")
    return {
        "level": site.attributes.get("adviser_level"),
        "district": names.get(Level.DISTRICT),
        "street": names.get(Level.STREET),
        "open_days": (timezone.localdate() - dt.date.fromisoformat(opened)).days if opened else None,
    }


def _open(site: Facility, present: int, least: int) -> StaffingAlert:
    alert = StaffingAlert.objects.create(site=site, present=present, least=least, opened_at=timezone.now())
    _tell(SHORT, alert, site, {})
    return alert


def _clear(alert: StaffingAlert, site: Facility, present: int, because: str) -> None:
    alert.state, alert.present, alert.cleared_at, alert.cleared_because = "cleared", present, timezone.now(), because
    alert.save(update_fields=["state", "present", "cleared_at", "cleared_because"])
    _tell(ENOUGH, alert, site, {"原因": because})


def _tell(event: str, alert: StaffingAlert, site: Facility, more: dict[str, str]) -> None:
    if site.region_id is None:
        return
    levels = {Level.DISTRICT, Level.STREET}
    above = [each.region_id for each in path_of(site.region_id, scope=Scope.public()) if each.level in levels]
    send_message(
        event=event,
        key=f"{event}:{alert.pk}",
        region_id=site.region_id,
        values={"顾问点": site.name, "在岗": str(alert.present), "至少": str(alert.least), **more},
        users=users_holding("advisers.staff", region_ids=above),
        link=f"/desk/ledgers/adviser-alerts/{alert.pk}",
    )


@receiver(post_save, sender=Facility)
def judge_when_saved(instance: Facility, **_: Any) -> None:
    """Judge a point whose state or level changed by an act of somebody; spreadsheets write past this and wait for the day."""
    if instance.kind_id == SITE_KIND:
        judge_site(site_id=instance.pk)
