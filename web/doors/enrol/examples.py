"""Addresses of the invented city to try, one for each outcome: found by asking, so that they always tell the truth."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.db.models import Min

from geo.addresses.gazetteer import names_of, published_now
from geo.addresses.models import Address
from geo.imports.models import CURRENT, Provenance
from geo.regions.models import EditionState
from geo.scope import Scope
from services.catchments.answering import OUTCOMES, Asked, decide_many
from services.catchments.models import CatchmentEdition
from services.catchments.models import EditionState as State

DISTRICTS: Final = 2
SAMPLED: Final = 150
STRANGE: Final = "没有这条路8号"


def examples(entry: str, year: int) -> list[tuple[str, str]]:
    """Return invented addresses with the words of the outcome each has, of the first districts with an edition."""
    editions = CatchmentEdition.objects.filter(entry=entry, year=year, state=State.PUBLISHED)
    known = editions.order_by("district_id").values_list("pk", "district_id")
    return list(_found(entry, year, tuple(known)))


@lru_cache(maxsize=32)
def _found(entry: str, year: int, editions: tuple[tuple[object, int], ...]) -> tuple[tuple[str, str], ...]:
    texts: list[str] = []
    for district in list(dict.fromkeys(district for _, district in editions))[:DISTRICTS]:
        texts += _sample(district)
    if not texts:
        return ()
    decided = decide_many([Asked(text) for text in texts], entry=entry, year=year, scope=Scope.public())
    found: dict[str, str] = {}
    for text, decision in zip(texts, decided, strict=True):
        found.setdefault(decision.outcome, text)
    found.setdefault("unknown", STRANGE)
    return tuple((found[outcome], words) for outcome, words in OUTCOMES.items() if outcome in found)


def _sample(district: int) -> list[str]:
    """Return one door of many lanes of a district, always the same, and the lanes without a number."""
    rows = Address.objects.filter(CURRENT, source__provenance=Provenance.INVENTED, lane__regex=r"^[0-9]+$")
    inside = rows.filter(
        region__versions__edition__state=EditionState.PUBLISHED, region__versions__path__contains=f".{_code(district)}."
    )
    lanes = inside.values("road", "lane").annotate(door=Min("text")).order_by("road", "lane")
    doors = [lane["door"].removeprefix("上海市") for lane in lanes[:SAMPLED]]
    return doors + [door[: door.index("弄") + 1] for door in doors if "弄" in door]


def _code(district: int) -> str:
    region = names_of(published_now()).region(district)
    return region.code if region else ""
