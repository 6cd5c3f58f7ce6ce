"""The page of all institutions: narrowed by counted filters, ordered by one's own weights, complete without script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from geo.addresses.gazetteer import Names, names_of, published_now
from geo.errors import BadInput, CityError, NotFound, TooLarge
from geo.regions.models import Level
from services.access.queries import scope_for
from services.facilities.browsing import queries as browsing
from services.facilities.browsing.queries import Browsed, Facet
from services.facilities.browsing.questions import ORDERS, Question, read_question
from services.facilities.browsing.ranking import DIMENSIONS, MOST_WEIGHT
from services.facilities.browsing.specs import Arrangement, arranged_question
from services.facilities.filters import PART_KEYS
from services.facilities.hours import DAY_NAMES, DAYS
from services.facilities.kinds import kind_of
from services.facilities.queries import Order, city_now, counts_by_kind, facilities_in
from services.modules.finder.recommending.queries import Ranking
from web.doors.finder.asking import Ask, kind_menu, read_ask, said_of
from web.doors.finder.entries import arrangement_of
from web.doors.finder.opened import opened_list
from web.doors.finder.recommended import RECOMMENDED, invites, order_for, strip_of
from web.doors.finder.shown import Row
from web.doors.finder.uses import note_list, note_search

PAGE: Final = 20
PLAIN_ORDERS: Final[dict[str, Order]] = {"distance": "distance", "relevance": "relevance", "name": "name"}
"""The orders of the list of every kind at once, which the database sorts."""


class Chip(NamedTuple):
    """A filter that narrows the list now, with the address of the list without it."""

    words: str
    url: str


class Slider(NamedTuple):
    """One dimension a list is weighed by, and how much it counts."""

    key: str
    label: str
    prefers: str
    weight: int


class WayOn(NamedTuple):
    """A way on from an empty list."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class BrowsedRow(Row):
    """A row of the list that says why it stands where it does."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One page of rows, the address of the next, how many there are in all, the filters with their counts, or what is wrong."""

    rows: Sequence[Row] = ()
    next: str = ""
    total: int = 0
    facets: tuple[Facet, ...] = ()
    loosened: tuple[WayOn, ...] = ()
    order: str = ""
    fault: str = ""


@opened_list
@never_cache
@require_safe
def all_places(request: HttpRequest) -> HttpResponse:
    """List the institutions of a kind or a group, narrowed, counted and ordered; or all there are, by name or by distance."""
    ask = replace(read_ask(request.GET), mode="walk")
    if request.GET.get("crs") and ask.origin:
        return redirect(f"/places?{_without_crs(request, ask)}")
    everything = request.GET.get("kinds", "") in {"", "all"}
    names = names_of(published_now())
    question, faults = read_question(
        lambda key: said_of(request.GET, key),
        kinds=() if everything else ask.kind_keys,
        near=(ask.origin.lon, ask.origin.lat) if ask.origin else None,
        names=names,
        today=city_now().date(),
    )
    arrangement = arrangement_of(request, question.kinds)
    if not everything:
        question = arranged_question(question, arrangement)
    if not everything and "没有这个类别" in ask.fault:
        faults.insert(0, "没有这个类别，先为您看托育。")
    found = None if everything else order_for(request, question)
    if found is None and question.order == RECOMMENDED:
        question = replace(question, order="")
    mark = request.GET.get("cursor", "")[:2000]
    if not mark:
        code = question.street or question.district
        note_search(request, question.near, question.counted_parts, code=code, filters=question.filters)
    page = _Page(request, ask, question, everything, arrangement, found)
    shown = page.everything_shown(mark) if everything else page.shown(mark)
    strip = strip_of(request, ask, question, found) if found and not mark else ()
    ids = [row.place.id for row in shown.rows]
    note_list(request, ids, ids if shown.order == RECOMMENDED else [one.place.id for one in strip])
    fragment = request.headers.get("HX-Request") == "true"
    context = page.context(shown, names) | {
        "faults": [*faults, *([shown.fault] if shown.fault else [])],
        "strip": strip,
        "invited": not everything and invites(request, question.kinds),
    }
    template = "places/list.html"
    if fragment:
        template = "places/rows.html" if mark else "places/finder.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def _without_crs(request: HttpRequest, ask: Ask) -> str:
    """Return the parameters with the position in the city's own system, whatever the device spoke."""
    assert ask.origin is not None
    params = request.GET.copy()
    params.pop("crs")
    params["lon"], params["lat"] = f"{ask.origin.lon:.6f}", f"{ask.origin.lat:.6f}"
    return str(params.urlencode())


@dataclass(frozen=True, slots=True)
class _Page:
    """One request for the list, and the addresses that lead on from it."""

    request: HttpRequest
    ask: Ask
    question: Question
    everything: bool
    arrangement: Arrangement
    preferred: Ranking | None = None

    def url(self, question: Question, **more: str) -> str:
        """Return the address of the list for another question."""
        place = {key: value for key, value in self.ask.params().items() if key in {"lon", "lat", "at"}}
        kinds = {"kinds": "all" if self.everything else self.ask.kinds}
        previewed = {key: value for key, value in self.request.GET.items() if key == "arrangement"}
        return f"/places?{urlencode(kinds | place | question.params() | previewed | more)}"

    def shown(self, mark: str) -> Shown:
        """Return a page of the institutions of some kinds."""
        fault, asked = "", self.question
        try:
            found = self._browse(asked, mark)
        except (BadInput, TooLarge) as error:
            fault = error.message
            asked = asked.without("q")
            try:
                found = self._browse(asked)
            except CityError as again:
                return Shown(fault=again.message)
        urls = self.ask.place_urls(one.place.id for one in found.rows)
        rows = [
            BrowsedRow(
                one.place,
                urls[one.place.id],
                seconds=one.seconds,
                straight_m=one.metres,
                why=one.why,
            )
            for one in found.rows
        ]
        return Shown(
            rows=rows,
            next=self.url(asked, cursor=found.next) if found.next else "",
            total=found.total,
            facets=found.facets,
            loosened=self._ways_on(found),
            order=found.order,
            fault=fault,
        )

    def _browse(self, asked: Question, mark: str = "") -> Browsed:
        return browsing.browse(
            asked, scope=scope_for(self.request), mark=mark, limit=PAGE, arrangement=self.arrangement,
            preferred=self.preferred,
        )  # fmt: skip

    def _ways_on(self, found: Browsed) -> tuple[WayOn, ...]:
        return tuple(
            WayOn(
                f"不限“{way.label}”可看到 {way.count} 家"
                if way.part == "q"
                else f"放宽“{way.label}”可看到 {way.count} 家",
                self.url(self.question.without(way.part)),
            )
            for way in found.loosened[:4]
        )

    def everything_shown(self, mark: str) -> Shown:
        """Return a page of every institution there is."""
        question = self.question
        order = PLAIN_ORDERS.get(question.chosen_order, "name")
        asked: dict[str, Any] = {
            "scope": scope_for(self.request),
            "region": question.street or question.district,
            "q": question.q,
        }
        try:
            page = facilities_in(**asked, near=question.near, order=order, cursor=mark, limit=PAGE)
            total = sum(counts_by_kind(**asked).values())
        except (BadInput, NotFound, TooLarge) as error:
            return Shown(fault=error.message, order=order)
        metres: Sequence[float | None] = page.metres or [None] * len(page.places)
        urls = self.ask.place_urls(place.id for place in page.places)
        rows = [
            BrowsedRow(place, urls[place.id], straight_m=away) for place, away in zip(page.places, metres, strict=True)
        ]
        return Shown(rows, self.url(question, cursor=page.next) if page.next else "", total, order=order)

    def context(self, shown: Shown, names: Names) -> dict[str, Any]:
        """Return what the page shows."""
        question, filters = self.question, self.question.filters
        facets = {facet.spec.key: facet for facet in shown.facets}
        weights = dict(question.weights)
        district = names.by_code.get(question.district)
        return {
            "ask": self.ask,
            "question": question,
            "filters": filters,
            "rows": shown.rows,
            "next": shown.next,
            "total": shown.total,
            "everything": self.everything,
            "what": "服务设施" if self.everything else self.ask.kind_name,
            "kind_menu": kind_menu(),
            "kinds": "" if self.everything else self.ask.kinds,
            "orders": self._orders(),
            "order": shown.order,
            "facets": [facet for key, facet in facets.items() if key not in {"district", "street"}],
            "district": facets.get("district"),
            "street": facets.get("street"),
            "districts": [(one.code, one.name) for one in names.regions.values() if one.level == Level.DISTRICT],
            "streets": [
                (one.code, one.name)
                for one in names.regions.values()
                if district and one.level == Level.STREET and one.path.startswith(district.path)
            ],
            "chips": self._chips(facets, names),
            "clear_url": self.url(Question(question.kinds, near=question.near)),
            "days": [(key, name) for key, name in zip(DAYS, DAY_NAMES, strict=True)],
            "sliders": [
                Slider(one.key, one.label, one.prefers, weights.get(one.key, 0))
                for one in DIMENSIONS.values()
                if one.key != "distance" or question.near
            ],
            "most_weight": MOST_WEIGHT,
            "weighed": bool(weights),
            "loosened": shown.loosened,
            "announcement": self._announcement(shown),
            "previewed": self.request.GET.get("arrangement", ""),
        }

    def _orders(self) -> dict[str, str]:
        words = ORDERS if self.everything else self.arrangement.orders or ORDERS
        offered = [key for key in words if not self.everything or key in PLAIN_ORDERS]
        return {
            key: words[key]
            for key in offered
            if self.question.may_order(key) and (key != RECOMMENDED or self.preferred is not None)
        }

    def _announcement(self, shown: Shown) -> str:
        if shown.fault and not shown.total:
            return shown.fault
        what = "服务设施" if self.everything else self.ask.kind_name
        return f"找到 {shown.total} 家{what}" if shown.total else f"没有找到符合这些条件的{what}"

    def _chips(self, facets: dict[str, Facet], names: Names) -> list[Chip]:
        """Return what narrows the list now, each with the list without it."""
        question = self.question
        chips = [Chip(f"“{question.q}”", self.url(question.without("q")))] if question.q else []
        for key, code in (("district", question.district), ("street", question.street)):
            if code:
                chips.append(Chip(names.by_code[code].name, self.url(question.without(key))))
        for key in question.types:
            rest = tuple(one for one in question.types if one != key)
            chips.append(Chip(kind_of(key).name, self.url(replace(question, types=rest))))
        if question.within_m is not None:
            chips.append(Chip(_within_words(question.within_m), self.url(question.without("within"))))
        for part in question.filters.parts:
            if not self.everything and (part in facets or part in PART_KEYS):
                chips.append(Chip(question.filters.spoken_part(part), self.url(question.without(part))))
        return chips


def _within_words(metres: int) -> str:
    return f"{metres} 米内" if metres < 1000 else f"{metres / 1000:g} 公里内"
