"""Reads of recommending: whether it is on, who somebody is to it, what is recommended to him, and why.

``recommended`` and ``ranking`` are what pages ask; both take what is public of places, and of the person only what he agreed to.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet, Sum

from geo.addresses.gazetteer import published_now
from geo.errors import NotFound
from geo.regions.models import Level, RegionVersion
from geo.regions.queries import current_city, regions_matching, versions_of
from geo.scope import Scope
from services.access.models import User
from services.access.personal.models import Consent
from services.access.queries import check_city_duty
from services.crypto.queries import reveal_secrets
from services.crypto.sealing import blind_indexes
from services.facilities.actions import edition_key
from services.facilities.browsing.queries import ELLIPSOID
from services.facilities.browsing.table import Floats, Ints, Table, kept_table
from services.facilities.places import Place
from services.facilities.queries import city_now, places_by_id
from services.modules.finder.recommending.fairness import balanced, seed_of
from services.modules.finder.recommending.learning import EVIDENCE, Done, Liking, learnt
from services.modules.finder.recommending.models import RecommendingSwitch, ShownCount, Taste, Trace, TraceAct
from services.modules.finder.recommending.people import PURPOSE, VERSION, Person
from services.modules.finder.recommending.scoring import Scored, scored
from services.modules.finder.recommending.wishes import Wishes, side_of, wishes_of

DUTY: Final = "settings.write"
SHOWN_DAYS: Final = 28
"""How far back it counts how often places were recommended."""
MOST_TRACES: Final = 2000
MOST_CHANGES: Final = 20
HOMES: Final = (Level.STREET, Level.COMMITTEE)
"""The levels a home is stated at: never finer."""
FIELD: Final = "recommending"
_ON: Final = f'SELECT EXISTS (SELECT FROM {RecommendingSwitch._meta.db_table} WHERE city = %s AND "on")'
SEALED: Final = "wishes"


@dataclass(frozen=True, slots=True)
class Turned:
    """One turn of the switch: by whom (an account name) and when (aware, UTC)."""

    on: bool
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Share:
    """One part of why a place stands where it does: its name, how the place stands in it, and its points of the most it gives."""

    label: str
    words: str
    points: float
    most: float


@dataclass(frozen=True, slots=True)
class Recommended:
    """A place that is recommended: its points of a hundred, what speaks for it, and whether it had a slot kept for it."""

    place: Place
    points: float
    reasons: tuple[str, ...]
    shares: tuple[Share, ...]
    kept_slot: bool
    metres: float | None

    @property
    def why(self) -> str:
        """Return what speaks for it in one line: 近 · 有余位 · 接收 18 月龄."""
        return " · ".join(self.reasons)


@dataclass(frozen=True)
class Ranking:
    """The open places of some kinds in the order they are recommended in; metres are from where ``metres`` was reckoned."""

    scored: Scored
    order: Ints
    kept: Ints
    metres: Floats | None

    @cached_property
    def rank(self) -> dict[int, int]:
        """The place in the order by id; what does not suit, or is not wanted, has none."""
        return {int(one): at for at, one in enumerate(self.scored.table.ids[self.order].tolist())}

    def why(self, place_id: int) -> str:
        """Return what speaks for a place in one line, '' for one that is not recommended."""
        at = self.rank.get(place_id)
        return "" if at is None else " · ".join(self.reasons(int(self.order[at])))

    def reasons(self, row: int) -> tuple[str, ...]:
        """Return what speaks for a row, and that it had a slot kept for it."""
        found = self.scored.reasons(row)
        return (*found, "较少被看到") if row in self.kept else found


def is_on(*, scope: Scope) -> bool:
    """Say whether the city recommends at all; everybody may know it."""
    with connection.cursor() as cursor:
        cursor.execute(_ON, [current_city().key])
        return bool(cursor.fetchone()[0])


def turns(*, scope: Scope) -> list[Turned]:
    """Return how the switch was turned, newest first. Needs ``settings.write`` over the city."""
    check_city_duty(scope, DUTY)
    row = RecommendingSwitch.objects.filter(city=current_city().key).first()
    if row is None:
        return []
    before = row.events.order_by("-pgh_id")[: MOST_CHANGES - 1]
    return [Turned(one.on, one.changed_by, one.changed_at) for one in (row, *before)]


def consent_of(user: User) -> Consent | None:
    """Return the row by which an account agrees, to the text as it is now; ``None`` where it does not."""
    return Consent.objects.filter(user=user, purpose=PURPOSE, version=VERSION, withdrawn_at=None).first()


def pseudonyms(name: str) -> tuple[str, ...]:
    """Return the keyed digests of a name (``name_of`` of a consent, or of a device), the newest first."""
    return blind_indexes(name, field=FIELD)


def name_of(consent: int) -> str:
    """Return the name traces of an account are kept under, before it is digested."""
    return f"consent {consent}"


def account_person(user: User) -> Person | None:
    """Return an account as recommending knows it; ``None`` while it does not agree."""
    consent = consent_of(user)
    if consent is None:
        return None
    known_as = pseudonyms(name_of(consent.pk))
    row = Taste.objects.filter(user=user).first()
    wishes = {} if row is None else stated(row)
    return Person(known_as[0], known_as, consent.pk, wishes, 0 if row is None else row.revision)


def stated(row: Taste) -> dict[str, Wishes]:
    """Return what an account states, by side."""
    text = reveal_secrets(owner=row.uid, fields=[SEALED]).get(SEALED, "")
    return {side: wishes_of(each) for side, each in json.loads(text).items()} if text else {}


def device_person(device: UUID, wishes: Mapping[str, Wishes], revision: int) -> Person:
    """Return a device as recommending knows it."""
    known_as = pseudonyms(str(device))
    return Person(known_as[0], known_as, None, wishes, revision)


def traces_of(person: Person) -> QuerySet[Trace]:
    """Return what somebody who agreed was shown and did, newest first."""
    return Trace.objects.filter(who__in=person.known_as).order_by("-hour", "-pk")


def dismissed_places(person: Person, *, scope: Scope) -> list[Place]:
    """Return the places somebody does not want recommended, the latest first."""
    ids = dict.fromkeys(traces_of(person).filter(act=TraceAct.DISMISS).values_list("place_id", flat=True))
    found = places_by_id(list(ids), scope=scope, published=published_now(), now=city_now())
    return [found[one] for one in ids if one in found]


def homes_matching(name: str, *, scope: Scope) -> list[RegionVersion]:
    """Return the streets and committees whose name holds a text, the likeliest first; ten at most."""
    return [one for one in regions_matching(name, scope=scope, limit=60) if one.level in HOMES][:10]


def home_named(code: str, *, scope: Scope) -> RegionVersion:
    """Return a street or a committee by its code, without its boundary. Raises ``NotFound``."""
    found = versions_of(scope=scope).filter(code=code, level__in=HOMES).defer("geom").first()
    if found is None:
        raise NotFound("home_unknown", "居住地请选到街镇或居委、村委。")
    return found


def recommended(
    *,
    scope: Scope,
    kinds: Sequence[str],
    person: Person | None = None,
    near: tuple[float, float] | None = None,
    among: Iterable[int] | None = None,
    most: int = 3,
    now: dt.datetime | None = None,
) -> list[Recommended]:
    """Return the places of some kinds (keys) that suit best, the best first, each with its reasons.

    ``kinds`` are of one side (for children, or for elders). ``person`` is somebody who agreed; without one only what is known of
    the places counts, and how far they are from ``near``, (lon, lat) in CGCS2000 degrees. ``near`` goes before the home stated.
    ``among`` are the ids that may be recommended. Nothing while the city has it off.
    """
    found = ranking(scope=scope, kinds=kinds, person=person, near=near, now=now)
    return best_of(found, scope=scope, among=among, most=most, now=now) if found else []


def best_of(
    found: Ranking, *, scope: Scope, among: Iterable[int] | None = None, most: int = 3, now: dt.datetime | None = None
) -> list[Recommended]:
    """Return the first places of an order, with their reasons; of ``among`` only, where ids are named."""
    wanted = None if among is None else set(among)
    ids = found.scored.table.ids
    rows = [row for row in found.order.tolist() if wanted is None or int(ids[row]) in wanted][:most]
    shown = [int(ids[row]) for row in rows]
    places = places_by_id(shown, scope=scope, published=published_now(), now=now or city_now())
    return [_recommended(found, row, places[one]) for row, one in zip(rows, shown, strict=True) if one in places]


def _recommended(found: Ranking, row: int, place: Place) -> Recommended:
    return Recommended(
        place,
        float(found.scored.total[row]),
        found.reasons(row),
        tuple(Share(*one) for one in found.scored.explained(row)),
        row in found.kept,
        None if found.metres is None else float(found.metres[row]),
    )


def ranking(
    *,
    scope: Scope,
    kinds: Sequence[str],
    person: Person | None = None,
    near: tuple[float, float] | None = None,
    now: dt.datetime | None = None,
) -> Ranking | None:
    """Return the order places of some kinds are recommended in, as ``recommended`` says; ``None`` while it is off.

    The same person sees the same order all day, unless he does or states something else.
    """
    side = side_of(kinds)
    if not side or not is_on(scope=scope):
        return None
    now = now or city_now()
    table = kept_table(published_now(), kinds, cache.get(edition_key()))
    wishes = person.wishes_for(side) if person else Wishes()
    start = near or _home(wishes, scope)
    metres = _metres(table, start) if start else None
    past = _past_of(person, now) if person else Past()
    liking = learnt(past.done, table, kinds, past.seen) if past.done else Liking()
    found = scored(table, side=side, wishes=wishes, liking=liking, metres=metres, now=now)
    suits = found.suits & ~np.isin(table.ids, list(past.dismissed))
    tired = np.array([float(past.ignored.get(one, 0)) for one in table.ids.tolist()])
    seed = seed_of(person.who if person else "", f"{now:%Y-%m-%d}")
    order, kept = balanced(found.total, suits, _shown_lately(table, now), tired, seed)
    return Ranking(found, order, kept, metres)


def _home(wishes: Wishes, scope: Scope) -> tuple[float, float] | None:
    """Return the label point of the home's region; nothing where the published edition no longer knows it."""
    if not wishes.region:
        return None
    try:
        label = home_named(wishes.region, scope=scope).label
    except NotFound:
        return None
    return label.x, label.y


def _metres(table: Table, start: tuple[float, float]) -> Floats:
    lon, lat = (np.full(len(table), value) for value in start)
    metres: Floats = ELLIPSOID.inv(lon, lat, table.lon, table.lat)[2] if len(table) else np.zeros(0)
    return metres


@dataclass(frozen=True, slots=True)
class Past:
    """What somebody did, which places he does not want, how often he saw places, and recommended ones that he never opened."""

    done: tuple[Done, ...] = ()
    dismissed: frozenset[int] = frozenset()
    seen: Mapping[int, int] = field(default_factory=dict)
    ignored: Mapping[int, int] = field(default_factory=dict)
    """Up to yesterday: what is shown now must not move the next page of the same list."""


def _past_of(person: Person, now: dt.datetime) -> Past:
    done: list[Done] = []
    seen, ignored = Counter[int](), Counter[int]()
    dismissed: set[int] = set()
    opened: set[int] = set()
    taken_back: set[int] = set()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    columns = traces_of(person).values_list("hour", "act", "place_id", "shown", "recommended", "filters")
    for hour, act, place, shown, recommended_ids, filters in columns[:MOST_TRACES]:
        days_ago = max(0.0, (now - hour).total_seconds() / 86_400)
        if act == TraceAct.UNFAVOURITE:
            taken_back.add(place)  # newest first: the favourite before it no longer counts
        elif act == TraceAct.DISMISS:
            dismissed.add(place)
        elif act in EVIDENCE and not (act == TraceAct.FAVOURITE and place in taken_back):
            done.append(Done(act, days_ago, place))
            opened.add(place)
        elif act == TraceAct.NARROW and filters:
            done.append(Done(act, days_ago, None, tuple(filters)))
        seen.update({*shown, *recommended_ids})
        if hour < today:
            ignored.update(recommended_ids)
    never_opened = {one: count for one, count in ignored.items() if one not in opened}
    return Past(tuple(done), frozenset(dismissed), seen, never_opened)


def _shown_lately(table: Table, now: dt.datetime) -> Floats:
    """Return how often each row was recommended to anybody up to yesterday: what is shown now must not move the next page."""
    since = now.date() - dt.timedelta(days=SHOWN_DAYS)
    rows = ShownCount.objects.filter(day__gte=since, day__lt=now.date()).values_list("place").annotate(sum=Sum("count"))
    counted = dict(rows.values_list("place", "sum"))
    return np.array([float(counted.get(one, 0)) for one in table.ids.tolist()])
