"""The part of the ``addresses`` benchmark that types into the search box, over a scratch database: ``python -m tests.bench._suggesting typed``.

Prints one JSON value on its last line.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

from django.db import connection  # noqa: E402

from geo.addresses.gazetteer import names_of, published_now  # noqa: E402
from geo.addresses.suggesting.sounds import alike, sounds  # noqa: E402
from geo.addresses.suggestions import suggest  # noqa: E402
from geo.names import plain  # noqa: E402
from geo.scope import Scope  # noqa: E402
from services.facilities.search import search  # noqa: E402

ASKED = 4_000
MISTAKEN = 3_000
FIRST = 5
AWAY_DEG = 0.02
"""How far from the thing the middle of the map may be, some two kilometres each way."""


class Known(NamedTuple):
    """A thing of the city that people may type: its name, and where it is in CGCS2000 degrees."""

    name: str
    lon: float
    lat: float


def typed() -> dict[str, Any]:
    """Type into the box as people do, key by key, rightly and wrongly; return the times, what was found, and the memory."""
    chance = random.Random(31)
    things, doors = _things(chance), _doors()
    # What every process holds anyway, as the search reads it.
    names_of(published_now())
    before = _resident_mb()
    began = time.perf_counter()
    search("国权路", scope=Scope.public())
    first_ms = 1_000 * (time.perf_counter() - began)
    memory = _resident_mb() - before
    keys = _sample(chance, _keystrokes(chance, things, doors), ASKED)
    mistakes = _sample(chance, _mistakes(chance, things), MISTAKEN)
    return {
        "things": len(things),
        "first_ms": first_ms,
        "memory_mb": memory,
        "suggest_ms": [_ms(suggest, text, near) for text, near in keys],
        "search_ms": [_ms(search, text, near) for text, near in keys],
        "mistaken_ms": [_ms(search, text, _near(chance, thing)) for _, text, thing in mistakes],
        "found": _found(chance, mistakes),
    }


def _things(chance: random.Random) -> list[Known]:
    found = []
    for table, condition in (
        ("roads_roadname", "true"),
        ("addresses_community", "retired_at IS NULL"),
        ("facilities_facility", "retired_at IS NULL AND status = 'open' AND kind_id <> 'bus_stop'"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT name, ST_X(geom), ST_Y(geom) FROM {table} WHERE {condition} ORDER BY id")
            rows = [Known(*row) for row in cursor.fetchall()]
        found += chance.sample(rows, min(3_000, len(rows)))
    return found


def _doors() -> list[Known]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT road || CASE WHEN lane <> '' THEN lane || '弄' ELSE '' END || CASE WHEN number <> '' THEN number || '号' ELSE '' END,
                ST_X(geom), ST_Y(geom) FROM addresses_address WHERE retired_at IS NULL AND road <> '' AND (lane <> '' OR number <> '')
                ORDER BY md5(id::text) LIMIT 1000"""
        )
        return [Known(*row) for row in cursor.fetchall()]


Near = tuple[float, float] | None
Key = tuple[str, Near]
Mistake = tuple[str, str, Known]
"""The kind of mistake, the text with it, and what was meant."""


def _keystrokes(chance: random.Random, things: Sequence[Known], doors: Sequence[Known]) -> Iterator[Key]:
    """Yield what stands in the box after every key: characters, letters, initials, mixtures, half addresses; each with mistakes."""
    for thing in chance.sample(list(things), min(700, len(things))):
        near = _near(chance, thing) if chance.random() < 0.5 else None
        name, letters = thing.name, spelt(thing.name)
        wrong = [text for _, text, _ in _mistakes(chance, [thing])][:2]
        initials = "".join(said[:1] for said in _said(name))
        half = chance.randrange(1, len(name)) if len(name) > 1 else 1
        for text in (name, letters, initials, f"{name[:half]}{spelt(name[half:])}", *wrong):
            yield from ((text[:size], near) for size in range(1, len(text) + 1))
    for door in doors[:300]:
        near = _near(chance, door) if chance.random() < 0.5 else None
        yield from ((door.name[:size], near) for size in range(1, len(door.name) + 1))


def _mistakes(chance: random.Random, things: Sequence[Known]) -> Iterator[Mistake]:
    """Yield names with one mistake of every kind; those that are the name of something else are no mistakes."""
    known = {plain(thing.name) for thing in things}
    for thing in things:
        name, letters = plain(thing.name), spelt(thing.name)
        if len(name) < 3 or not all(_said(name)) or any(sign.isascii() for sign in name):
            continue
        at, place = chance.randrange(len(name) - 1), chance.randrange(1, len(letters) - 1)
        other = chance.choice("新东大安长金和平中国")
        kinds = {
            "same sound": name[:at] + _same(chance, name[at], near=False) + name[at + 1 :],
            "near sound": name[:at] + _same(chance, name[at], near=True) + name[at + 1 :],
            "wrong character": name[:at] + other + name[at + 1 :],
            "missing character": name[:at] + name[at + 1 :],
            "extra character": name[: at + 1] + other + name[at + 1 :],
            "swapped characters": name[:at] + name[at + 1] + name[at] + name[at + 2 :],
            "wrong letter": letters[:place] + chance.choice("aeioungh") + letters[place + 1 :],
            "missing letter": letters[:place] + letters[place + 1 :],
            "swapped letters": letters[:place] + letters[place + 1] + letters[place] + letters[place + 2 :],
        }
        for kind, text in kinds.items():
            if text not in known and text not in (name, letters):
                yield kind, text, thing


def _said(name: str) -> list[str]:
    known = sounds()
    return [known.syllables[found[0]].lstrip("'") if (found := known.readings(sign)) else "" for sign in plain(name)]


def spelt(name: str) -> str:
    """Return the pinyin of a name, digits as they are."""
    return "".join(said or sign for said, sign in zip(_said(name), plain(name), strict=True))


_by_sound: dict[str, list[str]] = {}


def _same(chance: random.Random, sign: str, *, near: bool) -> str:
    """Return another character that sounds the same, or nearly so; itself when there is none."""
    if not _by_sound:
        for code in range(0x4E00, 0x9FA6):
            for number in sounds().readings(chr(code)):
                _by_sound.setdefault(sounds().syllables[number], []).append(chr(code))
    said = _said(sign)[0]
    like = [one for one in _by_sound if alike(one) == alike(said) and one != said] if near else [said]
    others = [other for one in like for other in _by_sound.get(one, []) if other != sign]
    return chance.choice(others) if others else sign


def _near(chance: random.Random, thing: Known) -> tuple[float, float]:
    return thing.lon + chance.uniform(-AWAY_DEG, AWAY_DEG), thing.lat + chance.uniform(-AWAY_DEG, AWAY_DEG)


def _sample(chance: random.Random, rows: Iterator[Any], count: int) -> list[Any]:
    every = list(rows)
    return chance.sample(every, min(count, len(every)))


def _ms(find: Callable[..., Any], text: str, near: Near) -> float:
    began = time.perf_counter()
    find(text[:200], scope=Scope.public(), near=near, limit=8)
    return 1_000 * (time.perf_counter() - began)


def _found(chance: random.Random, mistakes: Sequence[Mistake]) -> dict[str, list[int]]:
    """Return by kind of mistake how many were made, and how many of the things meant stand among the first five."""
    made: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for kind, text, thing in mistakes:
        made[kind] += 1
        offered = search(text, scope=Scope.public(), near=_near(chance, thing), limit=FIRST)
        right[kind] += thing.name in [one.label for one in offered]
        if os.environ.get("QUANTU_BENCH_WRONG") and thing.name not in [one.label for one in offered]:
            sys.stderr.write(f"  {kind}: {text} for {thing.name}, offered {[one.label for one in offered]}\n")
    return {kind: [made[kind], right[kind]] for kind in sorted(made)}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    print(json.dumps({"typed": typed}[sys.argv[1]]()))
