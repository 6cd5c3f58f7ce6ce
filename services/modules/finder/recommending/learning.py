"""What somebody's acts say of the places he likes, as shares of declared features; old acts count less. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.facilities.browsing.table import Bools, Floats, Table
from services.facilities.kinds import filterable_attributes, kind_of

HALF_LIFE_DAYS: Final = 30.0
ENOUGH: Final = 8.0
"""How much evidence counts half: a favourite and four looks."""
PRIOR: Final = 4.0
LEAST_LIKING: Final = 0.08
"""A feature is liked when it is chosen so much more often than it was seen, and more than chance would have it."""
KNOWN: Final = 4.0
"""How much evidence at one place itself counts half: a favourite."""
MOST_FEATURES: Final = 4
EVIDENCE: Final[Mapping[str, float]] = {"click": 1.0, "detail": 1.0, "favourite": 4.0, "call": 3.0, "navigate": 3.0}
"""How much an act at a place says; a filter that was set says as much as two looks."""
FILTERED: Final = 2.0
Feature = tuple[str, str | bool]


@dataclass(frozen=True, slots=True)
class Done:
    """One act some days ago: at a place, or with filters set, written ``key=value``."""

    act: str
    days_ago: float
    place: int | None = None
    filters: tuple[str, ...] = ()

    @property
    def weight(self) -> float:
        """Return how much it says today."""
        return float(EVIDENCE.get(self.act, FILTERED) * 0.5 ** (self.days_ago / HALF_LIFE_DAYS))


@dataclass(frozen=True, slots=True)
class Liking:
    """Features by how much more of them somebody chose than he saw, and evidence at places themselves, by id.

    ``sure`` says how much evidence there is in all, 0 to 1.
    """

    features: tuple[tuple[Feature, float], ...] = ()
    sure: float = 0.0
    places: Mapping[int, float] = field(default_factory=dict)

    def score(self, table: Table) -> Floats:
        """Return how much of what is liked every row has, 0 to 1: half for its features, half for what was done there."""
        total = sum(share for _, share in self.features)
        found = np.zeros(len(table))
        for feature, share in self.features:
            found += 0.5 * share / total * having(table, feature)
        own = np.array([self.places.get(one, 0.0) for one in table.ids.tolist()]) if self.places else 0.0
        return found + 0.5 * own / (own + KNOWN)

    def words(self, table: Table, at: int) -> str:
        """Return in words what a row has of it: 您看过，像您看过的（普惠、全日托）."""
        own = "您关注过" if self.places.get(int(table.ids[at]), 0.0) >= KNOWN / 2 else ""
        like = "、".join(said_of(one) for one, _ in self.features if having(table, one)[at])
        return "，".join(filter(None, (own, f"像您看过的（{like}）" if like else "")))


def features_of(kinds: Iterable[str]) -> tuple[Feature, ...]:
    """Return the features that places of some kinds (keys) can differ in: their kind, and what they declare to filter by."""
    found: dict[Feature, None] = {}
    for key in kinds:
        found[("kind", key)] = None
        for attribute in kind_of(key).attributes:
            if attribute.filterable and attribute.type == "boolean":
                found[(attribute.key, True)] = None
            elif attribute.filterable and attribute.type == "choice":
                found |= {(attribute.key, value): None for value, _ in attribute.choices}
    return tuple(found)


def having(table: Table, feature: Feature) -> Bools:
    """Return which rows have a feature."""
    key, value = feature
    return table.of_kind(str(value)) if key == "kind" else table.having(key, value)


def said_of(feature: Feature) -> str:
    """Return a feature in people's words."""
    key, value = feature
    if key == "kind":
        return kind_of(str(value)).name
    attribute = filterable_attributes()[key]
    return attribute.label if value is True else attribute.choice_label(value)


def learnt(done: Iterable[Done], table: Table, kinds: Iterable[str], seen: Mapping[int, int] | None = None) -> Liking:
    """Return what acts at the rows of a table say: the features chosen clearly more often than they were seen.

    ``seen`` are how often places were shown in lists, by id; without it somebody is taken to have seen all of them alike.
    """
    weights = np.zeros(len(table))
    shown = np.array([float((seen or {}).get(one, 0)) for one in table.ids.tolist()])
    shown = shown + 1.0 / max(1, len(table))
    where = {one: at for at, one in enumerate(table.ids.tolist())}
    features = features_of(kinds)
    asked = dict.fromkeys(features, 0.0)
    for one in done:
        if one.place in where:
            weights[where[one.place]] += one.weight
        for said in one.filters:
            key, _, value = said.partition("=")
            feature: Feature = (key, True if value in ("1", "true") else value)
            if feature in asked:
                asked[feature] += one.weight
    total = float(weights.sum()) + sum(asked.values())
    if not total or not len(table):
        return Liking()
    liked = []
    for feature in features:
        held = having(table, feature)
        usual = float(shown[held].sum() / shown.sum())
        share = (float(weights[held].sum()) + asked[feature] + PRIOR * usual) / (total + PRIOR) - usual
        if share >= max(LEAST_LIKING, (usual * (1 - usual) / (total + PRIOR)) ** 0.5):
            liked.append((feature, round(share, 6)))
    liked.sort(key=lambda one: (-one[1], str(one[0])))
    own = {int(one): float(weight) for one, weight in zip(table.ids, weights, strict=True) if weight}
    return Liking(tuple(liked[:MOST_FEATURES]), total / (total + ENOUGH), own)
