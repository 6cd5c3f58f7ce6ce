"""How many streets have a place: of the city, of a district, and each street by itself."""

from __future__ import annotations

from collections import defaultdict

from geo.regions.queries import versions_of
from geo.regions.records import LEVELS
from geo.scope import Scope
from layers.facts.counting import count_by_region
from layers.facts.regions import above
from layers.facts.spec import FactSpec

STREET = "street"


def street_coverage(places: FactSpec, level: str, _: Scope) -> dict[str, float | None]:
    """Return by path of what share of the streets of each region of a level (%) a fact has a row, to a tenth.

    Places are public, so the figure of a region is the same for everybody. Nothing is said of levels below streets.
    """
    if LEVELS.index(level) > LEVELS.index(STREET):
        return {}
    whole = Scope.public()
    having = {path for path, tally in count_by_region(places, scope=whole, level=STREET).items() if tally.rows}
    streets: dict[str, list[bool]] = defaultdict(list)
    for path in versions_of(scope=whole).filter(level=STREET).values_list("path", flat=True):
        streets[above(path, level)].append(path in having)
    return {path: round(100 * sum(found) / len(found), 1) for path, found in streets.items()}
