"""How many people live in regions, by age, from what is published: by what a rate is taken."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Sum

from geo.imports.models import Family
from geo.imports.queries import published_sources
from geo.regions.models import Population, RegionVersion
from layers.facts.regions import above

WHOLE_LIFE = (0, 200)


@dataclass(frozen=True, slots=True)
class Residents:
    """Residents by the path of a region, in a year; regions of which nothing is published are left out."""

    year: int
    by_path: dict[str, int]


def residents(level: str, *, within: str = "", ages: tuple[int, int] | None = None) -> Residents | None:
    """Return the residents of the regions of a level whose ages (whole years, both included) are asked for; ``None`` is for all.

    Figures of the level itself come first, then sums of the level below that tells most. A region whose figures do not tell the
    ages apart is left out, as is one of whose parts any is missing. ``None`` where nothing is published.
    """
    figures = Population.objects.filter(source__in=published_sources(Family.POPULATION), retired_at=None)
    year = figures.order_by("-year").values_list("year", flat=True).first()
    if year is None:
        return None
    told = _told(year, ages or WHOLE_LIFE)
    paths = list(
        RegionVersion.objects.filter(edition__state="published", path__startswith=within).values_list(
            "region_id", "path"
        )
    )
    of_path = {path: told[region] for region, path in paths if region in told}
    asked = [path for _, path in paths if above(path, level) == path]
    below: dict[str, list[str]] = defaultdict(list)
    for _, path in paths:
        below[_parent(path)].append(path)
    found = {path: _sum(path, of_path, below) for path in asked}
    return Residents(year, {path: persons for path, persons in found.items() if persons is not None})


def _sum(path: str, told: dict[str, int], below: dict[str, list[str]]) -> int | None:
    if path in told:
        return told[path]
    parts = [_sum(each, told, below) for each in below.get(path, [])]
    known = [part for part in parts if part is not None]
    return sum(known) if parts and len(known) == len(parts) else None


def _parent(path: str) -> str:
    return path[: path.rstrip(".").rfind(".") + 1]


def _told(year: int, ages: tuple[int, int]) -> dict[int, int]:
    """Return by region the residents of some ages; regions with a band that reaches beyond them are left out."""
    figures = Population.objects.filter(
        source__in=published_sources(Family.POPULATION), retired_at=None, year=year
    ).values_list("region_id", "age_from", "age_to", "sex")
    rows = list(figures.annotate(all=Sum("persons")))
    both = {(region, low, high) for region, low, high, sex, _ in rows if sex == "a"}
    found: dict[int, int] = defaultdict(int)
    blurred: set[int] = set()
    for region, low, high, sex, persons in rows:
        if sex != "a" and (region, low, high) in both:
            continue  # told of both together already
        if low >= ages[0] and high <= ages[1]:
            found[region] += persons
        elif low <= ages[1] and high >= ages[0]:
            blurred.add(region)
    return {region: persons for region, persons in found.items() if region not in blurred}
