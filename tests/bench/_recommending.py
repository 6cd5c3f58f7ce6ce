"""The measure of the ``recommending`` benchmark; run as ``python -m tests.bench._recommending measure`` over a scratch database.

It prints one JSON value on its last line.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "web.settings")

import django

django.setup()

import numpy as np  # noqa: E402
import orjson  # noqa: E402

from services.facilities.browsing.table import Floats, Ints, Raw, Table  # noqa: E402
from services.modules.finder.recommending.fairness import balanced  # noqa: E402
from services.modules.finder.recommending.learning import Done, Liking, learnt  # noqa: E402
from services.modules.finder.recommending.scoring import Scored, scored  # noqa: E402
from services.modules.finder.recommending.wishes import CHILD, Wishes  # noqa: E402

FAMILIES, INSTITUTIONS, DAYS = 240, 400, 14
SEED: Final = 2026
"""Not the one the weights were tried on."""
SIDE_M: Final = 14_000.0
NOW: Final = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
SMALL_SHARE, UNREPORTED, UNSAID = 0.2, 0.35, 0.15
FORMS: Final = ("full_day", "half_day", "hourly")
KINDS: Final = ("nursery", "baby_house")
LOOKED_AT: Final = 10
LABEL_M: Final = 700.0
"""How far the label point of a home's region lies from the home, as a deviation."""


@dataclass
class Family:
    """A family: what it really is, hidden from the engine, and what it states."""

    home: Floats
    age: int
    utility: Floats
    wishes: Wishes
    metres: Floats
    takes: Floats
    home_only: Wishes = field(default_factory=Wishes)
    done: list[tuple[int, str, int]] = field(default_factory=list)
    ignored: Floats = field(default_factory=lambda: np.zeros(INSTITUTIONS))
    seen: dict[int, int] = field(default_factory=dict)

    def acts(self, day: int) -> list[Done]:
        """Return what it did up to a day as the engine reads it."""
        return [Done(act, day - on, place) for on, act, place in self.done]


@dataclass
class World:
    """Institutions: where they stand, what is true of them, what they have registered, and which are new or small."""

    at: Floats
    table: Table
    truth: list[dict[str, Any]]
    small: Floats
    quality: Floats


def world_of(chance: np.random.Generator) -> World:
    """Return the institutions; new and small ones are as good as others, and have registered less."""
    at = chance.uniform(0, SIDE_M, (INSTITUTIONS, 2))
    small = chance.random(INSTITUTIONS) < SMALL_SHARE
    rows: list[Raw] = []
    truth = []
    for number in range(INSTITUTIONS):
        first = int(chance.choice([3, 12, 18, 24]))
        said: dict[str, Any] = {
            "age_from_months": first, "age_to_months": 36, "service_form": str(chance.choice(FORMS, p=[0.6, 0.25, 0.15])),
            "inclusive": bool(chance.random() < 0.5), "meals": bool(chance.random() < 0.6),
            "ownership": str(chance.choice(["public", "private", "community"])),
            "fee_month_yuan": int(chance.lognormal(8.0, 0.45)),
        }  # fmt: skip
        vacancies = int(chance.poisson(3)) if chance.random() < 0.6 else 0
        truth.append({**said, "vacancies": vacancies})
        gaps = 2 * UNSAID if small[number] else UNSAID
        known = {key: value for key, value in said.items() if key.startswith("age") or chance.random() > gaps}
        fresh = chance.random() > (1.4 if small[number] else 1.0) * UNREPORTED
        reported = (NOW - dt.timedelta(days=2 if fresh else 50)).timestamp()
        kind = KINDS[int(chance.random() < 0.3)]
        rows.append(
            (number, kind, f"{number:04d}", 0.0, 0.0, 0, orjson.dumps(known).decode(), "{}", vacancies, reported, None)
        )
    return World(at, Table(rows), truth, small.astype(float), chance.normal(0, 1, INSTITUTIONS))


def family_of(world: World, chance: np.random.Generator) -> Family:
    """Return a family with weights of its own: near, cheap, vacant now, to its taste, and good as only it finds."""
    home = chance.uniform(0, SIDE_M, 2)
    age = int(chance.integers(6, 33))
    travels = chance.choice([900.0, 1800.0, 3500.0], p=[0.5, 0.35, 0.15])
    budget = float(chance.lognormal(8.0, 0.35))
    tastes = {key: chance.normal(0, 1) for key in (*FORMS, "inclusive", "meals", "public")}
    near, cheap, vacant, taste, quality = chance.dirichlet([3.0, 2.0, 1.5, 2.5, 2.0])
    metres = np.hypot(*(world.at - home).T)
    utility = np.zeros(INSTITUTIONS)
    for number, true in enumerate(world.truth):
        offered = [true["service_form"], *(key for key in ("inclusive", "meals") if true[key])]
        offered += ["public"] if true["ownership"] == "public" else []
        liked = sum(tastes[key] for key in offered)
        utility[number] = (
            near * np.exp(-metres[number] / travels)
            + cheap * (1.0 if true["fee_month_yuan"] <= budget else np.exp(-2 * (true["fee_month_yuan"] / budget - 1)))
            + vacant * (true["vacancies"] > 0)
            + taste / (1 + np.exp(-1.2 * liked))
            + quality / (1 + np.exp(-world.quality[number] - 0.5 * chance.normal()))
        )
    takes = np.array([float(true["age_from_months"] <= age <= true["age_to_months"]) for true in world.truth])
    label = home + chance.normal(0, LABEL_M, 2)
    return Family(home, age, utility, _stated(age, budget, tastes, chance), np.hypot(*(world.at - label).T), takes)


def _stated(age: int, budget: float, tastes: dict[str, float], chance: np.random.Generator) -> Wishes:
    """Return what it states: not everything, and not exactly."""
    months = 12 * NOW.year + NOW.month - 1 - age
    wanted = [key for key, liked in tastes.items() if liked > 0.8 and chance.random() < 0.5]
    forms = {
        "full_day": "full_day",
        "half_day": "half_day",
        "hourly": "hourly",
        "inclusive": "inclusive",
        "meals": "meals",
        "public": "public",
    }
    return Wishes(
        born=f"{months // 12}-{months % 12 + 1:02d}" if chance.random() < 0.9 else "",
        fee_most=int(budget * chance.lognormal(0, 0.15)) if chance.random() < 0.7 else None,
        needs=tuple(forms[key] for key in wanted),
    )


def ndcg(order: Ints, family: Family) -> float:
    """Return how well the first ten of an order serve a family; what does not take the child is worth nothing."""
    real = np.where(family.takes > 0, family.utility, 0.0)
    bounds = np.quantile(real[real > 0], [0.5, 0.75, 0.9, 0.97])
    gains = 2.0 ** np.where(real > 0, np.searchsorted(bounds, real), 0) - 1.0
    weights = 1.0 / np.log2(np.arange(2, 12))
    got = float((gains[order[:10]] * weights[: len(order[:10])]).sum())
    return got / float((np.sort(gains)[::-1][:10] * weights).sum())


def orders_of(
    family: Family, world: World, day: int, shown: Floats, *, wishes: Wishes, fair: bool = True, seed: int = 0
) -> Ints:
    """Return the order of a family on a day."""
    liking = learnt(family.acts(day), world.table, KINDS, family.seen) if family.done else Liking()
    found = scored(world.table, side=CHILD, wishes=wishes, liking=liking, metres=family.metres, now=NOW)
    if not fair:
        at = np.flatnonzero(found.suits)
        return at[np.argsort(-found.total[at], kind="stable")]
    return balanced(found.total, found.suits, shown, family.ignored, seed)[0]


def use(
    families: list[Family], world: World, chance: np.random.Generator, *, fair: bool, stated: bool
) -> tuple[Floats, Floats]:
    """Let the families look every day at what is recommended and at what is nearest; return how often each was recommended."""
    shown, ever = np.zeros(INSTITUTIONS), np.zeros(INSTITUTIONS)
    for day in range(DAYS):
        today = np.zeros(INSTITUTIONS)
        for number, family in enumerate(families):
            wishes = family.wishes if stated else family.home_only
            order = orders_of(family, world, day, shown, wishes=wishes, fair=fair, seed=1000 * day + number)
            strip = order[:3]
            today[strip] += 1
            nearest = np.argsort(np.where(family.takes > 0, family.metres, np.inf), kind="stable")[:LOOKED_AT]
            for one in {*strip.tolist(), *nearest.tolist()}:
                family.seen[one] = family.seen.get(one, 0) + 1
            opened = set(_open(family, [*strip.tolist(), *nearest.tolist()], day, chance))
            family.ignored[[one for one in strip.tolist() if one not in opened]] += 1
        shown += today
        ever += today
    return shown, ever


def _open(family: Family, seen: list[int], day: int, chance: np.random.Generator) -> list[int]:
    """Open what looks good among what is seen, the first likelier; call or keep the best of it now and then."""
    opened = []
    for place, at in {one: at for at, one in reversed(list(enumerate(seen)))}.items():
        wanted = 1 / (1 + np.exp(-9 * (family.utility[place] * family.takes[place] - 0.55)))
        if chance.random() < 0.5 * wanted / np.log2(at + 2):
            opened.append(place)
            family.done.append((day, "detail", place))
            if chance.random() < 0.4 * wanted:
                family.done.append((day, str(chance.choice(["call", "favourite", "navigate"])), place))
    return opened


def measure() -> dict[str, Any]:
    """Return all figures."""
    found: dict[str, Any] = {"families": FAMILIES, "institutions": INSTITUTIONS, "days": DAYS}
    world, families = _drawn()
    nothing = np.zeros(INSTITUTIONS)
    nearest = [np.argsort(np.where(one.takes > 0, one.metres, np.inf), kind="stable") for one in families]
    found["nearest"] = float(np.mean([ndcg(order, one) for order, one in zip(nearest, families, strict=True)]))
    plain = [np.argsort(one.metres, kind="stable") for one in families]
    found["nearest_plain"] = float(np.mean([ndcg(order, one) for order, one in zip(plain, families, strict=True)]))
    _note(
        found,
        "home",
        [ndcg(orders_of(one, world, 0, nothing, wishes=one.home_only, seed=n), one) for n, one in enumerate(families)],
    )
    _note(
        found,
        "stated",
        [ndcg(orders_of(one, world, 0, nothing, wishes=one.wishes, seed=n), one) for n, one in enumerate(families)],
    )
    small = [_share(world, order[:3]) for order in nearest]
    found["small_share_nearest"] = float(np.mean(small))
    suiting = np.array([one.takes for one in families])
    found["small_suiting"] = float((suiting * world.small).sum() / suiting.sum())
    for fair, key in ((True, ""), (False, "_without")):
        world, families = _drawn()
        shown, ever = use(families, world, np.random.default_rng(7), fair=fair, stated=True)
        orders = [
            orders_of(one, world, DAYS, shown, wishes=one.wishes, fair=fair, seed=n) for n, one in enumerate(families)
        ]
        _note(found, f"used{key}", [ndcg(order, one) for order, one in zip(orders, families, strict=True)])
        found[f"small_share{key}"] = float((ever * world.small).sum() / ever.sum())
        found[f"never{key}"] = float((ever == 0).mean())
    world, families = _drawn()
    shown, _ = use(families, world, np.random.default_rng(7), fair=True, stated=False)
    _note(
        found,
        "used_only",
        [ndcg(orders_of(one, world, DAYS, shown, wishes=one.home_only, seed=n), one) for n, one in enumerate(families)],
    )
    return found | {"ms": _speed()}


def _drawn() -> tuple[World, list[Family]]:
    chance = np.random.default_rng(SEED)
    world = world_of(chance)
    return world, [family_of(world, chance) for _ in range(FAMILIES)]


def _note(found: dict[str, Any], key: str, values: list[float]) -> None:
    found[key] = float(np.mean(values))
    found[f"{key}_error"] = float(1.96 * np.std(values) / np.sqrt(len(values)))


def _share(world: World, order: Ints) -> float:
    return float(world.small[order].mean())


def _speed() -> float:
    """Return the median milliseconds for an order of ten thousand places with ten rows of reasons."""
    world, families = _drawn()
    rows = [(n, *world.table.rows[n % INSTITUTIONS][1:]) for n in range(10_000)]
    table, one = Table(rows), families[0]
    metres, nothing = np.resize(one.metres, len(rows)), np.zeros(len(rows))
    liking = Liking(((("inclusive", True), 0.3), (("meals", True), 0.2)), 0.5)
    spent = []
    for turn in range(21):
        begun = time.perf_counter()
        made: Scored = scored(table, side=CHILD, wishes=one.wishes, liking=liking, metres=metres, now=NOW)
        order, _ = balanced(made.total, made.suits, nothing, nothing, turn)
        for row in order[:10].tolist():
            made.reasons(row)
        spent.append(1000 * (time.perf_counter() - begun))
    return float(np.median(spent))


if __name__ == "__main__":
    print(json.dumps({"measure": measure}[sys.argv[1]]()))
