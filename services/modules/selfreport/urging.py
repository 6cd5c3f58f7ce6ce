"""Telling institutions what nobody has confirmed: by the clock once a week, and urged by staff, once a day at most."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from geo.errors import TooLarge
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.facilities.models import Facility
from services.facilities.queries import city_now
from services.kernel.messages.actions import Told, send_message
from services.kernel.messages.following import heads_of
from services.modules.selfreport.message_events import UNCONFIRMED, URGED
from services.modules.selfreport.models import Reminder
from services.modules.selfreport.unconfirmed import unconfirmed, unconfirmed_in, weeks_monday

FROM_HOUR: Final = 9
"""On Mondays the lists go out from this hour on the city's clocks."""
NAMED: Final = 3
PAGE: Final = "/my/places"
MOST_URGED: Final = 500


@dataclass(frozen=True, slots=True)
class Urged:
    """What became of the places that were to be urged, by name."""

    told: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()
    confirmed: int = 0


def tell_unconfirmed(*, now: dt.datetime | None = None) -> int:
    """Tell every institution once a week which of its places nobody has confirmed; return how many were told now.

    Each institution is one transaction under the key of the week: a worker that dies goes on with the next one, and no
    institution is told twice. ``now`` is aware, on the city's clocks.
    """
    moment = now or city_now()
    monday = weeks_monday(moment.date())
    if moment.weekday() == 0 and moment.hour < FROM_HOUR:
        return 0
    told = Reminder.objects.filter(told_on__gte=monday).values("facility__organisation_id")
    waiting = unconfirmed().exclude(organisation=None).exclude(organisation__in=told)
    organisations = waiting.values_list("organisation_id", flat=True).distinct().order_by("organisation_id")
    return sum(_tell_week(organisation, monday, moment.date()) for organisation in list(organisations))


@transaction.atomic
def _tell_week(organisation_id: int, monday: dt.date, day: dt.date) -> int:
    places = list(unconfirmed().filter(organisation=organisation_id).order_by("name", "pk"))
    users = heads_of(organisation_id)
    if not places or not users:
        return 0
    _held(places)
    told = _send(UNCONFIRMED, f"{UNCONFIRMED}:{organisation_id}:{monday}", places, users)
    Reminder.objects.filter(facility__in=places).update(told_on=day)
    return int(told.messages > 0)


@transaction.atomic
def urge_places(*, facility_ids: Collection[int], scope: Scope, now: dt.datetime | None = None) -> Urged:
    """Urge the institutions of unconfirmed places to confirm, each place once a day at most, and say what became of each.

    Places that were confirmed meanwhile are only counted; those outside the scope are as if they were not there. Needs
    ``facilities.edit``. Raises ``TooLarge`` beyond 500 places.
    """
    check_duty(scope, "facilities.edit")
    if len(facility_ids) > MOST_URGED:
        raise TooLarge("too_many_places", f"一次最多催 {MOST_URGED} 家，请按街镇分几次催。", most=MOST_URGED)
    moment = now or city_now()
    within = unconfirmed_in(scope).filter(pk__in=facility_ids)
    places = list(within.select_related("organisation").order_by("name", "pk"))
    reminders = _held(places)
    due, already, nobody = defaultdict(list), [], []
    for place in places:
        urged_at = reminders[place.pk].urged_at
        if urged_at is not None and urged_at.astimezone(moment.tzinfo).date() == moment.date():
            already.append(place.name)
        elif place.organisation_id is None:
            nobody.append(place.name)
        else:
            due[place.organisation_id].append(place)
    told = []
    for organisation, own in due.items():
        users = heads_of(organisation)
        names = [place.name for place in own]
        if not users:
            nobody += names
            continue
        _send(URGED, f"{URGED}:{moment.date()}:{_digest(own)}", own, users, actor=scope.actor)
        Reminder.objects.filter(facility__in=own).update(urged_at=moment, urged_by=scope.actor)
        told += names
    return Urged(tuple(told), tuple(already), tuple(nobody), len(set(facility_ids)) - len(places))


def _held(places: Sequence[Facility]) -> dict[int, Reminder]:
    """Return the reminders of places, made where there are none, and locked: two who urge at once do not tell twice."""
    Reminder.objects.bulk_create([Reminder(facility=place) for place in places], ignore_conflicts=True)
    rows = Reminder.objects.filter(facility__in=places).order_by("facility_id").select_for_update()
    return {row.facility_id: row for row in rows}


def _send(event: str, key: str, places: Sequence[Facility], users: Sequence[User], actor: str = "system") -> Told:
    names = "、".join(place.name for place in places[:NAMED])
    region = next((place.region_id for place in places if place.region_id), None)
    if region is None:
        return Told()
    return send_message(
        event=event,
        key=key,
        region_id=region,
        values={"家数": str(len(places)), "名单": f"{names}等" if len(places) > NAMED else names, "页面": _page()},
        users=users,
        link=PAGE,
        actor=actor,
    )


def _page() -> str:
    """Return where one confirms, as a short message says it: an address, or its name while the site has none."""
    return f"{settings.SITE_URL}{PAGE}" if settings.SITE_URL else "圈图“我的机构”"


def _digest(places: Sequence[Facility]) -> str:
    return hashlib.sha256(",".join(str(place.pk) for place in places).encode()).hexdigest()[:24]
