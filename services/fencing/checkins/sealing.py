"""What is sealed of visits and check-ins, as values: the home, the position, the words."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from geo.crs import Coordinate, System
from services.crypto.primitives import sm3
from services.crypto.sealing import seal, unseal
from services.fencing.checkins.hints import Earlier, Reading
from services.fencing.checkins.models import CheckInFacts, Visit

DETAILS: Final = "visit.details"
FACTS: Final = "checkin.facts"


@dataclass(frozen=True, slots=True)
class Home:
    """Whose home, where it is (degrees of CGCS2000; 0, 0 where a fence is the place), how to reach it, and what to know."""

    name: str
    phone: str
    address: str
    lon: float
    lat: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is sealed of a check-in: the position as it was read, '' words. ``salt`` keeps its digest from being guessed."""

    salt: str
    words: str
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float = 0.0
    x: float = 0.0
    y: float = 0.0
    system: str = ""
    altitude: float | None = None
    speed: float | None = None
    source: str = ""


def sealed_home(home: Home, *, owner: UUID) -> str:
    """Return a home sealed for a visit."""
    return seal(json.dumps(asdict(home), ensure_ascii=False), field=DETAILS, owner=owner)


def home_of(visit: Visit) -> Home:
    """Return the home of a visit; who may see it, and the line in the audit log, are the caller's."""
    return Home(**json.loads(unseal(visit.details, field=DETAILS, owner=visit.uid)))


def facts_from(reading: Reading | None, words: str) -> Facts:
    """Return what is to be sealed of a check-in."""
    salt = secrets.token_hex(16)
    if reading is None:
        return Facts(salt, words)
    given = reading.given
    return Facts(
        salt, words, reading.lon, reading.lat, reading.accuracy_m, given.x, given.y, given.system.value, reading.altitude,
        reading.speed, reading.source,
    )  # fmt: skip


def sealed_facts(facts: Facts, *, owner: UUID) -> tuple[str, str]:
    """Return facts sealed for a check-in, and their digest."""
    text = _text(facts)
    return seal(text, field=FACTS, owner=owner), sm3(text.encode()).hex()


def facts_of(row: CheckInFacts) -> Facts:
    """Return the facts of a check-in; who may see them, and the line in the audit log, are the caller's."""
    return Facts(**json.loads(unseal(row.sealed, field=FACTS, owner=row.owner)))


def digest_of(facts: Facts) -> str:
    """Return the digest that the record of a check-in carries of its facts."""
    return sm3(_text(facts).encode()).hex()


def earlier_of(row: CheckInFacts, at: dt.datetime) -> Earlier | None:
    """Return the position of an earlier check-in, None where it had none."""
    facts = facts_of(row)
    if facts.lon is None or facts.lat is None:
        return None
    given = Coordinate(facts.x, facts.y, System(facts.system))
    return Earlier(at, facts.lon, facts.lat, facts.accuracy_m, (given.x, given.y, given.system))


def _text(facts: Facts) -> str:
    return json.dumps(asdict(facts), ensure_ascii=False, sort_keys=True)
