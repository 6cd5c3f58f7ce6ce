"""What is recommended, on the pages that show places: the order of the list, the strip above it, the marks of list and map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest

from services.access.queries import scope_for
from services.facilities.browsing.questions import Question
from services.facilities.places import Place
from services.modules.finder.recommending.queries import Ranking, Recommended, best_of, ranking
from services.modules.finder.recommending.wishes import side_of
from web.doors.finder.asking import Ask
from web.doors.finder.shown import Row
from web.doors.finder.uses import note_list
from web.recommending import city_recommends, person_of

RECOMMENDED: Final = "recommended"
"""The order by it, as an address says it."""
MOST: Final = 3
IN_ALL: Final = "总的比较合适"
"""Said where no part alone speaks for a place."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A recommended place on a page: its row, what speaks for it in one line, and the page that says it in full."""

    row: Row
    why: str
    why_url: str

    @property
    def place(self) -> Place:
        """Return the place itself."""
        return self.row.place


def order_for(request: HttpRequest, question: Question) -> Ranking | None:
    """Return the order that is made for somebody who agreed; ``None`` for all others, and for kinds that are not recommended."""
    person = person_of(request) if side_of(question.kinds) else None
    if person is None:
        return None
    return ranking(scope=scope_for(request), kinds=question.kinds, person=person, near=question.near)


def invites(request: HttpRequest, kinds: Sequence[str]) -> bool:
    """Say whether a list asks if somebody wants recommendations: the city has them, and he has not agreed."""
    return bool(side_of(kinds)) and city_recommends(request) and person_of(request) is None


def strip_of(request: HttpRequest, ask: Ask, question: Question, found: Ranking) -> tuple[Suggested, ...]:
    """Return the three that suit best, above a list that nothing narrows; where the list is in this order it says it itself."""
    if question.parts or question.q or question.order == RECOMMENDED:
        return ()
    best = best_of(found, scope=scope_for(request), most=MOST)
    return tuple(suggested(one, ask, ask.kinds) for one in best)


def suggested(one: Recommended, ask: Ask, kinds: str) -> Suggested:
    """Return a recommended place as pages show it; ``kinds`` as an address says them."""
    row = Row(one.place, ask.place_url(one.place.id), straight_m=one.metres)
    return Suggested(row, one.why, why_url(one.place.id, ask, kinds))


def why_url(place_id: int, ask: Ask, kinds: str) -> str:
    """Return the address of the page that says why; with the origin that counted, where there is one."""
    origin = {key: value for key, value in ask.params().items() if key in {"lon", "lat", "at"}}
    return f"/my/recommending/why?{urlencode({'place': place_id, 'kinds': kinds} | origin)}"


def recommends_here(request: HttpRequest, ask: Ask) -> bool:
    """Say whether the city recommends places of the kinds somebody asks for."""
    return bool(side_of(ask.kind_keys)) and city_recommends(request)


def suiting_among(request: HttpRequest, ask: Ask, ids: Iterable[int]) -> Mapping[int, str]:
    """Return the places of an answer that suit, with what speaks for each, the best first; nothing while the city has it off.

    For somebody who did not agree only what is known of the places counts, and how far they are from where he asks: that is
    kept nowhere, and is the same for everybody who asks from there.
    """
    if not recommends_here(request, ask) or ask.origin is None:
        return {}
    near = (ask.origin.lon, ask.origin.lat)
    found = ranking(scope=scope_for(request), kinds=ask.kind_keys, person=person_of(request), near=near)
    if found is None:
        return {}
    wanted = [one for one in ids if one in found.rank]
    return {one: found.why(one) or IN_ALL for one in sorted(wanted, key=found.rank.__getitem__)}


def note_rows(request: HttpRequest, rows: Sequence[Row]) -> None:
    """Note which places an answer showed, and which of them it recommended."""
    note_list(request, [row.place.id for row in rows], [row.place.id for row in rows if row.recommended])
