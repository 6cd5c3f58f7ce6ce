"""The filters of the list as declarations: what each is called, how it is set, which values it offers and what it lets through.

Pages, the API and the settings of staff read the same declarations; an ``Arrangement`` is laid over them to hide, rename, reorder
or cut the values of filters without touching how they work.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from geo.addresses.gazetteer import Names
from geo.calendars.working import WorkingDays
from geo.regions.models import Level
from services.facilities.browsing.questions import Question
from services.facilities.browsing.table import Bools, Floats, Ints, Table
from services.facilities.filters import BOUNDS, DEAREST_YUAN, OLDEST_MONTHS, Filters, months_since, written
from services.facilities.hours import DAY_NAMES, DAYS, is_open_at, open_on_holidays, open_throughout
from services.facilities.kinds import Attribute, kind_of
from services.facilities.kinds.declared import DECLARED
from services.facilities.vacancies import STALE_AFTER

Control = Literal["select", "checks", "check", "age", "fee", "hours", "moment"]
"""How a filter is set: one of a menu, any of some boxes, one box, or the input boxes of ages, fees, hours and a moment."""
DISTANCES_M: Final = (500, 1000, 2000, 3000, 5000, 10_000)
WITH_VACANCIES: Final = {"childcare", "preschool", "care_home", "elder_home", "day_care"}
WITH_FEES: Final = {"fee_month_yuan", "fee_from_yuan"}


@dataclass(frozen=True)
class View:
    """A question over the table that answers it, at one moment: ``now`` aware in the city's zone, ``metres`` along the rows."""

    table: Table
    question: Question
    names: Names
    now: dt.datetime
    days: WorkingDays
    metres: Floats | None = None

    def inside(self, code: str) -> Bools:
        """Return which rows lie in a district or a street, by its code."""
        region = self.names.by_code.get(code)
        return self.none() if region is None else self._codes(region.level) == int(code)

    def _codes(self, level: str) -> Ints:
        """Return the code of the region of a level that each row lies in, 0 for none; kept with the table."""

        def make() -> Ints:
            ids, where = np.unique(self.table.regions, return_inverse=True)
            above = [
                self.names.above(region, level) if (region := self.names.region(one)) else None for one in ids.tolist()
            ]
            return np.array([int(one.code) if one else 0 for one in above], dtype=np.int64)[where]

        return self.table.keep(("codes", level), make)

    def none(self) -> Bools:
        """Return a mask that lets nothing through."""
        return np.zeros(len(self.table), dtype=bool)

    def opening(self, at: dt.datetime) -> Bools:
        """Return which rows are open at a moment."""
        return self.table.by_week(lambda week: is_open_at(week, at, self.days)) > 0


@dataclass(frozen=True, slots=True)
class Option:
    """One value a filter offers: as the address says it, in words, whether it is chosen, and what it lets through alone."""

    value: str
    label: str
    on: bool
    mask: Bools = field(repr=False, compare=False)


Masker = Callable[[View], Bools | None]
Offer = Callable[[View], list[Option]]


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A filter as declared: ``mask`` gives the rows it lets through, ``None`` when nothing is asked of it.

    ``param`` is the parameter its values are written to; input boxes write the parameters of their control. ``sets_aside`` names
    the filters that are not applied while its values are counted, for they only make it finer.
    """

    key: str
    label: str
    control: Control
    param: str
    fits: Callable[[Sequence[str]], bool]
    mask: Masker
    offer: Offer
    sets_aside: tuple[str, ...] = ()
    note: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """The values it always offers, with their words; none for those that come of the rows."""
    figures: tuple[str, ...] = ()
    """The figures it offers, where its values are figures that staff may choose."""
    limits: tuple[int, int] | None = None
    """What its input boxes take, at least and at most."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is laid over the declarations: filters hidden, their wording, the values offered and the order of all."""

    hidden: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Other words for a value, by filter and value."""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The only values a filter offers, in this order; figures may be new."""
    order: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    """Filters of ``SPARE`` that are shown, too."""
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    """The orders of the list with their words, in the order of the menu; none for all as declared."""
    first_order: str = ""


AS_DECLARED: Final = Arrangement()


def specs_for(kinds: Sequence[str], arrangement: Arrangement = AS_DECLARED) -> tuple[FilterSpec, ...]:
    """Return the filters of a list of some kinds (keys), as arranged; what the arrangement does not name keeps its place."""
    offered = (*declared_specs(kinds), *(SPARE[key] for key in arrangement.added if SPARE[key].fits(kinds)))
    specs = [spec for spec in offered if spec.key not in arrangement.hidden]
    rank = {key: number for number, key in enumerate(arrangement.order)}
    specs.sort(key=lambda spec: rank.get(spec.key, len(rank)))
    return tuple(_arranged(spec, arrangement) for spec in specs)


def arranged_question(question: Question, arrangement: Arrangement) -> Question:
    """Return a question as an arranged list takes it: without what it does not show, in its own order unless another is asked."""
    shown = {spec.key for spec in specs_for(question.kinds, arrangement)}
    for part in question.parts:
        if part not in shown:
            question = question.without(part)
    order = question.order
    if arrangement.orders and order not in arrangement.orders:
        order = ""
    if not order and question.may_order(arrangement.first_order):
        order = arrangement.first_order
    return replace(question, order=order)


def declared_specs(kinds: Sequence[str]) -> tuple[FilterSpec, ...]:
    """Return the filters of a list of some kinds (keys) while nobody arranges them."""
    return (*(spec for spec in SPECS if spec.fits(kinds)), *_added_specs(kinds))


def _added_specs(kinds: Sequence[str]) -> list[FilterSpec]:
    """Return the filters over what kinds that staff added say of themselves; those of declared kinds stand in ``SPECS``."""
    own = {one.key: one for key in kinds for one in kind_of(key).attributes if one.filterable and one.key not in _OF}
    return [_attribute(attribute) for attribute in own.values()]


def _arranged(spec: FilterSpec, arrangement: Arrangement) -> FilterSpec:
    label = arrangement.labels.get(spec.key, spec.label)
    values = arrangement.values.get(spec.key)

    def offer(view: View) -> list[Option]:
        if values is not None and spec.figures:
            options = _distances(view, values) if spec.key == "within" else _bounds(spec.param, view, values)
        else:
            options = spec.offer(view)
        if values is not None and not spec.figures:
            known = {option.value: option for option in options}
            # What somebody chose stays to be seen and taken back, offered or not.
            chosen = [option.value for option in options if option.on and option.value not in values]
            options = [known[value] for value in (*values, *chosen) if value in known]
        return [replace(one, label=arrangement.words.get((spec.key, one.value), one.label)) for one in options]

    return replace(spec, label=label, offer=offer, limits=arrangement.limits.get(spec.key, spec.limits))


def _any(kinds: Sequence[str]) -> bool:
    return True


def _declaring(key: str) -> Callable[[Sequence[str]], bool]:
    return lambda kinds: any(kind_of(kind).attribute(key) is not None for kind in kinds)


def _with_vacancies(kinds: Sequence[str]) -> bool:
    return any({kind, kind_of(kind).group} & WITH_VACANCIES for kind in kinds)


def _with_fees(kinds: Sequence[str]) -> bool:
    return any(_declaring(key)(kinds) for key in WITH_FEES)


def _distances(view: View, values: Sequence[str]) -> list[Option]:
    chosen = view.question.within_m
    if chosen is not None and str(chosen) not in values:
        values = sorted((*values, str(chosen)), key=int)
    metres = view.metres
    return [
        Option(
            value,
            f"{int(value)} 米内" if int(value) < 1000 else f"{int(value) / 1000:g} 公里内",
            chosen == int(value),
            view.none() if metres is None else metres <= int(value),
        )
        for value in values
    ]


def _bounds(param: str, view: View, values: Sequence[str]) -> list[Option]:
    chosen = dict(view.question.filters.bounds).get(param)
    if chosen is not None and str(chosen) not in values:
        values = sorted((*values, str(chosen)), key=int)
    sense, unit = ("不少于" if param.startswith("least") else "不超过"), BOUNDS[param][0].unit
    return [
        Option(value, f"{sense} {value} {unit}", chosen == int(value), _bound(param, view, int(value)))
        for value in values
    ]


def _bound(param: str, view: View, figure: int) -> Bools:
    attribute, sense = BOUNDS[param]
    held = view.table.figures(attribute.key)
    return held >= figure if sense == "gte" else held <= figure


def _spare(param: str, figures: Sequence[int]) -> FilterSpec:
    """Declare a filter by a bound, which a list has only when somebody arranges it so."""

    def mask(view: View) -> Bools | None:
        asked = dict(view.question.filters.bounds).get(param)
        return None if asked is None else _bound(param, view, asked)

    values = tuple(map(str, figures))
    attribute, _ = BOUNDS[param]
    return FilterSpec(
        key=param,
        label=attribute.label,
        control="select",
        param=param,
        fits=_declaring(attribute.key),
        mask=mask,
        offer=lambda view: _bounds(param, view, values),
        figures=values,
    )


def _within(view: View) -> Bools | None:
    if view.question.within_m is None or view.metres is None:
        return None
    return view.metres <= view.question.within_m


def _district(view: View) -> Bools | None:
    code = view.question.district
    return view.inside(code) if code else None


def _street(view: View) -> Bools | None:
    code = view.question.street
    return view.inside(code) if code else None


def _offer_districts(view: View) -> list[Option]:
    chosen = view.question.district
    codes = [code for code, region in view.names.by_code.items() if region.level == Level.DISTRICT]
    return [Option(code, view.names.by_code[code].name, code == chosen, view.inside(code)) for code in codes]


def _offer_streets(view: View) -> list[Option]:
    within = view.names.by_code.get(view.question.district)
    if within is None:
        return []
    chosen = view.question.street
    return [
        Option(code, region.name, code == chosen, view.inside(code))
        for code, region in view.names.by_code.items()
        if region.level == Level.STREET and region.path.startswith(within.path)
    ]


def _type(view: View) -> Bools | None:
    chosen = view.question.types
    return np.logical_or.reduce([view.table.of_kind(key) for key in chosen]) if chosen else None


def _offer_types(view: View) -> list[Option]:
    chosen = view.question.types
    return [Option(key, kind_of(key).name, key in chosen, view.table.of_kind(key)) for key in view.question.kinds]


def _having_vacancy(view: View) -> Bools:
    since = (view.now - STALE_AFTER).timestamp()
    return (view.table.vacancies > 0) & (view.table.vacancies_at >= since)


def _accepting(view: View, ages: tuple[int, int]) -> Bools:
    low, high = view.table.figures("age_from_months"), view.table.figures("age_to_months")
    return (low <= ages[0]) & (high >= ages[1])


def _age(view: View) -> Bools | None:
    ages = view.question.filters.ages(view.now.date())
    return None if ages is None else _accepting(view, ages)


def _fee(view: View) -> Bools | None:
    least, most = view.question.filters.fee_min, view.question.filters.fee_max
    if least is None and most is None:
        return None
    fees = view.table.fees
    return (fees >= (least if least is not None else -1)) & (fees <= (most if most is not None else np.inf))


def _open_on(view: View, day: str, filters: Filters) -> Bools:
    since, until = filters.from_time, filters.until_time

    def make() -> Bools:
        return view.table.by_week(lambda week: open_throughout(week, day, since, until)) > 0

    # Without times there are seven answers; times may be any that somebody types.
    return make() if since or until else view.table.keep(("open", day), make)


def _open_on_holidays(view: View) -> Bools:
    return view.table.keep(("open", "holiday"), lambda: view.table.by_week(open_on_holidays) > 0)


def _hours(view: View) -> Bools | None:
    filters = view.question.filters
    if not filters.needed_days:
        return None
    held = ~view.none()
    for day in filters.needed_days:
        held &= _open_on(view, day, filters)
    return held


def _offer_days(view: View) -> list[Option]:
    """Offer each day beside those already needed: all of them must suit."""
    filters = view.question.filters
    others = ~view.none()
    for day in filters.days:
        others &= _open_on(view, day, filters)
    return [
        Option(day, name, day in filters.days, others & _open_on(view, day, filters))
        for day, name in zip(DAYS, DAY_NAMES, strict=True)
    ]


def _moment(view: View) -> Bools | None:
    at = view.question.filters.open_at
    return None if at is None else view.opening(at)


def _box(key: str, label: str, holds: Callable[[View], Bools], fits: Callable[[Sequence[str]], bool]) -> FilterSpec:
    """Declare a filter of one box that is ticked or not."""

    def asked(view: View) -> bool:
        return bool(getattr(view.question.filters, key))

    return FilterSpec(
        key=key,
        label=label,
        control="check",
        param=key,
        fits=fits,
        mask=lambda view: holds(view) if asked(view) else None,
        offer=lambda view: [Option("1", label, asked(view), holds(view))],
    )


def _attribute(attribute: Attribute, label: str = "", both: tuple[str, str] | None = None) -> FilterSpec:
    """Declare a filter over what facilities say of themselves; ``both`` are the words for a yes and a no, both offered."""
    key = attribute.key

    def mask(view: View) -> Bools | None:
        chosen = view.question.filters.values_of(key)
        return np.logical_or.reduce([view.table.having(key, value) for value in chosen]) if chosen else None

    def offer(view: View) -> list[Option]:
        chosen = view.question.filters.values_of(key)
        offered: list[tuple[str | bool, str]]
        if attribute.type == "choice":
            offered = list(attribute.choices)
        elif attribute.type == "boolean":
            offered = [(True, both[0]), (False, both[1])] if both else [(True, label or attribute.label)]
        else:
            held = view.table.values(key)
            offered = [(text, text) for text in sorted({*held, *map(str, chosen)}, key=_grade_order)]
        return [
            Option(written(value), words, value in chosen, view.table.having(key, value)) for value, words in offered
        ]

    single = attribute.type == "boolean" and both is None
    return FilterSpec(
        key=key,
        label=label or attribute.label,
        control="check" if single else "checks",
        param=key,
        fits=_declaring(key),
        mask=mask,
        offer=offer,
        choices=attribute.choices or ((("1", both[0]), ("0", both[1])) if both else ()),
    )


def _grade_order(text: str) -> tuple[int, str]:
    return next((number for number, sign in enumerate("示五四三二一") if text.startswith(sign)), 9), text


def _nothing(view: View) -> list[Option]:
    return []


def _declared() -> dict[str, Attribute]:
    return {attribute.key: attribute for kind in DECLARED for attribute in kind.attributes if attribute.filterable}


_OF: Final = _declared()
SPECS: Final[tuple[FilterSpec, ...]] = (
    FilterSpec(
        "within",
        "距离范围",
        "select",
        "within",
        _any,
        _within,
        lambda view: _distances(view, [str(metres) for metres in DISTANCES_M]),
        note="直线距离",
        figures=tuple(map(str, DISTANCES_M)),
    ),
    FilterSpec("district", "所属区", "select", "district", _any, _district, _offer_districts, ("street",)),
    FilterSpec("street", "街镇", "select", "street", _any, _street, _offer_streets),
    FilterSpec("type", "机构类型", "checks", "type", lambda kinds: len(kinds) > 1, _type, _offer_types),
    _attribute(_OF["service_form"]),
    FilterSpec(
        "age_months",
        "适龄幼儿",
        "age",
        "age_months",
        _declaring("age_from_months"),
        _age,
        _nothing,
        limits=(0, OLDEST_MONTHS),
    ),
    _attribute(_OF["meals"], "供餐情况", ("供餐", "不供餐")),
    _attribute(_OF["grade"], "机构级别"),
    FilterSpec("hours", "工作时间", "hours", "days", _any, _hours, _offer_days, note="您家需要的日子和钟点"),
    _box("open_now", "现在开着", lambda view: view.opening(view.now), _any),
    _box("open_holiday", "节假日开放", _open_on_holidays, _any),
    FilterSpec("open_at", "某个时刻开着", "moment", "open_at", _any, _moment, _nothing),
    _box("has_vacancy", "有余位", _having_vacancy, _with_vacancies),
    _attribute(_OF["inclusive"]),
    FilterSpec("fee", "每月收费", "fee", "fee_max", _with_fees, _fee, _nothing, limits=(0, DEAREST_YUAN)),
    _attribute(_OF["ownership"]),
    _attribute(_OF["medical_insurance"]),
    _attribute(_OF["memory_care"]),
    _attribute(_OF["delivers"]),
    _attribute(_OF["step_free"]),
    _attribute(_OF["parking"]),
)
"""Every filter, in the order of the page."""
SPARE: Final[Mapping[str, FilterSpec]] = {
    spec.key: spec
    for spec in (
        _spare("least_beds", (10, 50, 100, 200)),
        _spare("least_free_visits_year", (4, 6, 12)),
        _spare("most_meal_price_yuan", (10, 15, 20)),
        _spare("most_fee_hour_yuan", (20, 50, 100)),
    )
}
"""Filters that no list has until somebody adds them, by key."""


def age_words(filters: Filters, today: dt.date) -> str:
    """Return how old the child is by its birthday, for the help beside the box."""
    return f"现在 {months_since(filters.born, today)} 个月" if filters.born else ""
