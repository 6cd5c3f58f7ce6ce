"""The first door: one question, one answer, shown as a list, drawn on a map, and complete without either script or map."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from shapely.geometry import mapping

from geo.crs import CITIES
from geo.errors import CityError, NotFound
from geo.geometry import geodesic_area_m2
from geo.imports.queries import attribution
from services.access.queries import scope_for
from services.basemaps.queries import leading_base_map
from services.facilities.browsing.specs import AS_DECLARED, Arrangement
from services.facilities.circle import Circle, Emptiness, circle
from services.facilities.filters import WORDS
from services.facilities.kinds import GROUPS, kind_of
from services.facilities.queries import facility_detail
from services.modules.finder.models import Act
from web.context import elder_step
from web.doors.finder.asking import MINUTES, SORTS, TRAVELLERS, Ask, kind_choice, kind_menu, read_ask
from web.doors.finder.cards import Card, make_card, row_of, way_for
from web.doors.finder.elder import elder_page
from web.doors.finder.entries import arrangement_of
from web.doors.finder.nearby import straight_nearest
from web.doors.finder.opened import opened_list
from web.doors.finder.recommended import MOST, RECOMMENDED, note_rows, suiting_among
from web.doors.finder.searching import Candidate, candidates_for
from web.doors.finder.sharing import shared_ask
from web.doors.finder.shown import Row
from web.doors.finder.uses import note_page, note_search

DEGREE_DIGITS: Final = 6
MOST_ROWS: Final = 200
QUICK_FILTERS: Final = (("has_vacancy", "1"), ("service_form", "full_day"), ("step_free", "1"), ("delivers", "1"))
WITH_VACANCIES: Final = {"childcare", "preschool", "care_home", "elder_home", "day_care"}


class FilterChip(NamedTuple):
    """One thing a list can be narrowed by, as a chip that is ticked or not."""

    name: str
    value: str
    label: str
    on: bool


class Way(NamedTuple):
    """A way on from an empty answer."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Empty:
    """Why there is no row, the ways on, and the nearest places in a straight line, wherever they are."""

    said: str
    ways: list[Way]
    near: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a question that has an origin: the circle and its rows, in the order of the list."""

    circle: Circle
    rows: list[Row]
    marked: bool = False
    """Whether the best of them are marked as recommended."""

    @property
    def vacant(self) -> int:
        """Return how many of the rows have a vacancy somebody confirmed lately."""
        return sum(bool(row.place.vacancies.fresh and row.place.vacancies.count) for row in self.rows)


@opened_list
@never_cache
@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Answer the first door: a whole page, or only its panel to a script that has the page already."""
    return themed(request, "")


def themed(request: HttpRequest, theme: str, **more: Any) -> HttpResponse:
    """Answer a question to the page of a theme; ``more`` is what that page shows besides."""
    elder = bool(elder_step(request))
    ask = read_ask(request.GET, elder=elder, theme=theme)
    if request.GET.get("crs") and ask.origin:
        return redirect(ask.url())  # the address keeps the city's own system, whatever the device spoke
    candidates = _candidates(ask, request)
    if candidates is not None and len(candidates) == 1 and candidates[0].certain:
        return redirect(candidates[0].url)
    if ask.origin and candidates is None and ask.place is None:
        parts = ["minutes", "mode", "type", *ask.filters.parts]
        note_search(request, (ask.origin.lon, ask.origin.lat), parts, filters=ask.filters)
    elif not ask.origin:
        note_page(request, Act.START)
    if elder:
        return elder_page(request, ask, candidates)
    context = panel_context(request, ask, candidates) | more
    if context["rows"]:
        note_rows(request, context["rows"])
    fragment = request.headers.get("HX-Request") == "true"
    response = render(request, "door/fragment.html" if fragment else "door/find.html", context)
    response["Vary"] = "HX-Request, Cookie"
    return response


def panel_context(request: HttpRequest, ask: Ask, candidates: list[Candidate] | None) -> dict[str, Any]:
    """Return what the panel, the map and the card show for a question."""
    fault, found = "", None
    arrangement = arrangement_of(request, ask.kind_keys)
    ask = without_hidden(ask, arrangement)
    if ask.origin and candidates is None:
        try:
            found = answer(request, ask)
        except CityError as error:
            fault = error.message
    card = card_of(request, ask, found)
    quick, more = filter_chips(ask, arrangement)
    choice = kind_choice(ask.kinds, ask.theme)
    rows = found.rows if found else []
    shared = shared_ask(ask)
    return {
        "ask": ask,
        "search_text": ask.q or ask.at,
        "quick_kinds": ask.page.quick,
        "kind_menu": kind_menu(ask.theme),
        "chosen_kind": choice,
        "kind_is_quick": choice in ask.page.quick,
        "kinds": "" if choice in ask.page.quick else ask.kinds,
        "travellers": TRAVELLERS,
        "minutes_options": MINUTES,
        "quick_filters": quick,
        "more_filters": more,
        "more_filters_on": sum(chip.on for chip in more),
        "sorts": {key: name for key, name in SORTS.items() if key != RECOMMENDED or (found and found.marked)},
        "candidates": candidates,
        "rows": rows,
        "empty": empty_of(request, ask, found.circle.empty) if found else Empty(fault, []),
        "headline": headline(ask, found),
        "headnote": f"{found.vacant} 家有余位" if found and found.vacant else "",
        "announcement": announcement(ask, found, candidates),
        "assumptions": assumptions(found),
        "share_url": request.build_absolute_uri(shared.url()),
        "share_note": "链接里没有您的准确位置，已移到约 200 米方格的中心，对方看到的结果会略有不同。",
        "card": card,
        "answer_json": answer_island(ask, found),
        "attribution": attribution() or "© 圈图",
        "groups": GROUPS,
        "leading_base": _leading_base(request) if ask.theme else "",
        "city_box": ",".join(str(edge) for edge in _box()),
    }


def answer(request: HttpRequest, ask: Ask) -> Found:
    """Return the circle of a question and its rows. Raises what the circle raises."""
    assert ask.origin is not None
    found = circle(
        scope=scope_for(request),
        origin=ask.origin.coordinate,
        minutes=ask.minutes,
        mode=ask.mode,
        kinds=ask.kind_keys,
        filters=ask.filters,
        limit=MOST_ROWS,
    )
    reached = list(found.places)
    if ask.sort == "vacancy":
        reached.sort(key=lambda one: -(one.place.vacancies.count or 0) if one.place.vacancies.fresh else 1)
    elif ask.sort == "name":
        reached.sort(key=lambda one: one.place.name)
    suiting = suiting_among(request, ask, [one.place.id for one in reached])
    if ask.sort == RECOMMENDED:
        order = {one: at for at, one in enumerate(suiting)}
        reached.sort(key=lambda one: order.get(one.place.id, len(order)))
    best = dict(islice(suiting.items(), MOST))
    urls = ask.place_urls(one.place.id for one in reached)
    rows = [
        Row(
            one.place,
            urls[one.place.id],
            rank,
            one.seconds,
            one.metres,
            one.straight_m,
            best.get(one.place.id, ""),
        )
        for rank, one in enumerate(reached, 1)
    ]
    return Found(found, rows, bool(best))


def card_of(request: HttpRequest, ask: Ask, found: Found | None) -> Card | None:
    """Return the card of the place that is opened beside the list, if there is one."""
    if ask.place is None:
        return None
    try:
        detail = facility_detail(ask.place, scope=scope_for(request))
    except NotFound:
        return None
    rows = {row.place.id: row for row in found.rows} if found else {}
    way = way_for(request, ask.place, ask)
    return make_card(request, detail, rows.get(ask.place) or row_of(detail, way, ask), ask, way)


def without_hidden(ask: Ask, arrangement: Arrangement) -> Ask:
    """Return a question without the filters that are not shown any more: a kept address must not narrow unseen."""
    filters = ask.filters
    for part in filters.parts:
        if part in arrangement.hidden:
            filters = filters.without(part)
    return replace(ask, filters=filters)


def filter_chips(ask: Ask, arrangement: Arrangement = AS_DECLARED) -> tuple[list[FilterChip], list[FilterChip]]:
    """Return the filters that the kinds declare, in the words arranged for them: the two used most, and the others."""
    on = ask.filter_params()
    kinds = [kind_of(key) for key in ask.kind_keys]
    chips = [
        FilterChip(key, "1", label, on.get(key) == "1")
        for key, label in WORDS.items()
        if key != "has_vacancy" or any({kind.group, kind.key} & WITH_VACANCIES for kind in kinds)
    ]
    declared = {attribute.key: attribute for kind in kinds for attribute in kind.attributes if attribute.filterable}
    for key, attribute in declared.items():
        if attribute.type == "boolean":
            chips.append(FilterChip(key, "1", attribute.label, on.get(key) == "1"))
        elif attribute.type == "choice":
            chips += [
                FilterChip(key, value, label, value in on.get(key, "").split(",")) for value, label in attribute.choices
            ]
    chips = [_arranged(chip, arrangement) for chip in chips if _is_offered(chip, arrangement)]
    quick = [chip for chip in chips if (chip.name, chip.value) in QUICK_FILTERS][:2] or chips[:1]
    return quick, [chip for chip in chips if chip not in quick]


def _is_offered(chip: FilterChip, arrangement: Arrangement) -> bool:
    values = arrangement.values.get(chip.name)
    return chip.name not in arrangement.hidden and (not values or chip.value in values or chip.on)


def _arranged(chip: FilterChip, arrangement: Arrangement) -> FilterChip:
    """Return a chip in the words of its value, or of its filter where the chip is the whole of it."""
    usual = arrangement.labels.get(chip.name, chip.label) if chip.value == "1" else chip.label
    return chip._replace(label=arrangement.words.get((chip.name, chip.value), usual))


def headline(ask: Ask, found: Found | None) -> str:
    """Return the answer in one line, in the largest type."""
    if found is None:
        return ""
    if not found.circle.total:
        return f"{ask.minutes} 分钟内没有找到"
    return f"{ask.minutes} 分钟内有 {found.circle.total} 家{ask.kind_name}"


def announcement(ask: Ask, found: Found | None, candidates: Sequence[Candidate] | None) -> str:
    """Return what is said to those who do not look: 找到 7 家，最近 4 分钟."""
    if candidates is not None:
        return f"有 {len(candidates)} 个候选" if candidates else f"没找到“{ask.q}”"
    if found is None:
        return ask.fault
    if not found.rows:
        return found.circle.empty.message if found.circle.empty else "没有找到"
    nearest = min(found.circle.places, key=lambda one: one.seconds)
    return f"找到 {found.circle.total} 家，最近 {nearest.minutes} 分钟"


def empty_of(request: HttpRequest, ask: Ask, empty: Emptiness | None) -> Empty:
    """Return an empty answer with its ways on as links, and what is nearest as the crow flies."""
    if empty is None:
        return Empty("", [])
    ways = []
    for step in empty.steps:
        params = ask.params()
        for key, value in step.changes.items():
            params.pop(key, None)
            if value is not None:
                params[key] = str(value)
        ways.append(Way(step.text, read_ask(params).url()))
    if not ways:
        ways.append(Way(f"看全部{ask.kind_name}", f"/places?kinds={ask.kinds}"))
    return Empty(empty.message, ways, straight_nearest(request, ask, 3))


def assumptions(found: Found | None) -> str:
    """Return what the minutes rest on, with the day the roads and the places are known of."""
    if found is None:
        return ""
    basis = found.circle.assumptions
    speed = f"{basis.traveller.name}每秒 {basis.traveller.speed_mps:.2g} 米"
    dates = [
        f"{name}截至 {as_of}"
        for name, as_of in (("道路", basis.roads_as_of), ("机构", basis.facilities_as_of))
        if as_of
    ]
    shown = f"这里列出最近的 {len(found.rows)} 家。" if found.circle.total > len(found.rows) else ""
    return f"{shown}按{speed}沿路计算，不足一分钟算一分钟。{'，'.join(dates)}{'。' if dates else ''}"


def answer_island(ask: Ask, found: Found | None) -> SafeString:
    """Return the very answer of the list as data for the map."""
    data: dict[str, Any] = {"kinds": ask.kinds, "kind_name": ask.kind_name, "selected": ask.place}
    if found is not None:
        data |= {
            "origin": {"lon": round(found.circle.origin.x, 6), "lat": round(found.circle.origin.y, 6)},
            "minutes": ask.minutes,
            "traveller": ask.traveller.phrase,
            "note": circle_note(ask, found.circle),
            "bands": [
                {"minutes": minutes, "geometry": _rounded(mapping(outline))}
                for minutes, outline in found.circle.bands
                if not outline.is_empty
            ],
            "places": [row.pin() for row in found.rows],
        }
    elif ask.origin:
        data["origin"] = {"lon": round(ask.origin.lon, 6), "lat": round(ask.origin.lat, 6)}
    return json_script(data, "answer")


def circle_note(ask: Ask, found: Circle) -> str:
    """Return how large the circle is, and what its traveller avoids."""
    area = geodesic_area_m2(found.outline) / 1e6
    said = [f"约 {area:.1f} 平方公里" if area >= 0.1 else f"约 {100 * area:.0f} 公顷"] if area else []
    return " · ".join([*said, *(["避开台阶"] if ask.mode in {"pram", "wheelchair", "bicycle"} else [])])


def _leading_base(request: HttpRequest) -> str:
    """Return the key of the base map that maps of themes begin on, '' for our own."""
    found = leading_base_map(scope=scope_for(request))
    return found.key if found else ""


def _candidates(ask: Ask, request: HttpRequest) -> list[Candidate] | None:
    """Return what typed words may mean; ``None`` when nothing new was typed."""
    if not ask.q or ask.q == ask.at:
        return None
    return candidates_for(ask, scope=scope_for(request), limit=12)


def _rounded(geometry: Any) -> Any:
    return json.loads(json.dumps(geometry), parse_float=lambda text: round(float(text), DEGREE_DIGITS))


def _box() -> tuple[float, float, float, float]:
    box = CITIES[settings.CITY].bbox
    return box.west, box.south, box.east, box.north
