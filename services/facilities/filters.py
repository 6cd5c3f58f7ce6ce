"""What a list or a circle of facilities is narrowed by, as one value that page, API and tile share."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from django.db.models import BooleanField, ExpressionWrapper, F, Func, Q, Value

from geo.calendars.working import WorkingDays
from geo.errors import BadInput
from services.facilities.hours import DAY_NAMES, DAYS, HOLIDAY, DayKey, keys_of_day
from services.facilities.kinds import Attribute, filterable_attributes
from services.facilities.kinds.declared import DECLARED
from services.facilities.vacancies import STALE_AFTER

WORDS: Final = {"has_vacancy": "有余位", "open_now": "现在营业", "open_holiday": "节假日开放"}
OLDEST_MONTHS: Final = 216
DEAREST_YUAN: Final = 100_000
FEES: Final = ("fee_month_yuan", "fee_from_yuan")
"""The attributes that say what a month costs at least; a kind declares one of them."""
CALENDAR_DAYS: Final = 366
"""How far ahead a moment may be asked about; the holidays are read so far."""
WORKDAYS: Final = DAYS[:5]
MOST_VALUES: Final = 40
PART_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "age_months": ("age_months", "age_until", "born"),
    "fee": ("fee_min", "fee_max"),
    "hours": ("days", "from_time", "until_time"),
}
"""The parameters of a part of the question that has more than one, or one of another name."""
_FIGURES: Final = {one.key: one for kind in DECLARED for one in kind.attributes if one.type in ("integer", "number")}
BOUNDS: Final[Mapping[str, tuple[Attribute, Literal["gte", "lte"]]]] = {
    "least_beds": (_FIGURES["beds"], "gte"),
    "least_free_visits_year": (_FIGURES["free_visits_year"], "gte"),
    "most_meal_price_yuan": (_FIGURES["meal_price_yuan"], "lte"),
    "most_fee_hour_yuan": (_FIGURES["fee_hour_yuan"], "lte"),
}
"""By parameter, figures that may be asked to be at least or at most so much."""
OWN_PARAMS: Final = (
    *WORDS,
    *("open_at", "age_months", "age_until", "born", "fee_min", "fee_max", "days", "from_time", "until_time"),
)
T = TypeVar("T")
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything that must hold of a facility. Stale vacancies are no vacancies.

    ``age_months`` to ``age_until`` must lie in the accepted ages; ``born`` says the age by birthday. ``open_at`` is a moment on
    the city's clocks. On each of ``days`` (none: Monday to Friday) one span must hold ``from_time`` to ``until_time``. Several
    values of one attribute mean any of them.
    """

    has_vacancy: bool = False
    open_now: bool = False
    age_months: int | None = None
    attributes: tuple[tuple[str, str | bool], ...] = ()
    open_at: dt.datetime | None = None
    open_holiday: bool = False
    age_until: int | None = None
    born: dt.date | None = None
    fee_min: int | None = None
    fee_max: int | None = None
    days: tuple[str, ...] = ()
    from_time: str = ""
    until_time: str = ""
    bounds: tuple[tuple[str, int], ...] = ()
    """Figures that must be reached or kept, by parameter of ``BOUNDS``."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is asked for."""
        return self == Filters()

    @property
    def needed_days(self) -> tuple[str, ...]:
        """Return the days on which the hours must suit; none when no hours are asked for."""
        return self.days or (WORKDAYS if self.from_time or self.until_time else ())

    def values_of(self, key: str) -> tuple[str | bool, ...]:
        """Return the values asked for of an attribute."""
        return tuple(value for name, value in self.attributes if name == key)

    def ages(self, today: dt.date) -> tuple[int, int] | None:
        """Return the first and the last month of age that must be accepted."""
        first = months_since(self.born, today) if self.born else self.age_months
        if first is None:
            return None if self.age_until is None else (self.age_until, self.age_until)
        return first, max(first, self.age_until or 0)

    def spoken(self) -> list[str]:
        """Return the parts as words people would use, such as 有余位 and 全日托, in the order of ``parts``."""
        return [self.spoken_part(part) for part in self.parts]

    def spoken_part(self, part: str) -> str:
        """Return one of ``parts`` in words."""
        if part in WORDS:
            return WORDS[part]
        if part == "age_months":
            return self._age_words()
        if part == "fee":
            return _range_words(self.fee_min, self.fee_max, "每月", "元")
        if part == "hours":
            return self._hours_words()
        if part == "open_at":
            return f"{self.open_at:%-m月%-d日 %H:%M} 开着"
        if part in BOUNDS:
            return bound_words(part, dict(self.bounds)[part])
        attribute = filterable_attributes()[part]
        return "或".join(_value_words(attribute, value) for value in self.values_of(part))

    def _age_words(self) -> str:
        if self.born:
            return f"收 {self.born:%Y-%m-%d} 出生的孩子"
        if self.age_until is None or self.age_until == self.age_months:
            return f"收 {self.age_months} 个月的孩子"
        return f"收 {self.age_months or 0}–{self.age_until} 个月的孩子"

    def _hours_words(self) -> str:
        days = self.needed_days
        named = {WORKDAYS: "周一至周五", DAYS: "每天", DAYS[5:]: "周六、周日"}.get(days)
        said = named or "、".join(DAY_NAMES[DAYS.index(day)] for day in days)
        if self.from_time and self.until_time:
            return f"{said} {self.from_time}–{self.until_time} 开着"
        if self.from_time:
            return f"{said} {self.from_time} 前开门"
        return f"{said} 开到 {self.until_time}" if self.until_time else f"{said}开放"

    def without(self, part: str) -> Filters:
        """Return the filters with one of ``parts`` taken out."""
        usual = Filters()
        if part in BOUNDS:
            return replace(self, bounds=tuple(pair for pair in self.bounds if pair[0] != part))
        if part in filterable_attributes():
            return replace(self, attributes=tuple(pair for pair in self.attributes if pair[0] != part))
        return replace(self, **{key: getattr(usual, key) for key in keys_of(part)})

    @property
    def parts(self) -> list[str]:
        """Return the names of what is asked for, in the order of ``spoken``."""
        own = ("has_vacancy", "open_now", "open_holiday", "open_at")
        parts = [key for key in own if getattr(self, key)]
        usual = Filters()
        parts += [
            part for part, keys in PART_KEYS.items() if any(getattr(self, key) != getattr(usual, key) for key in keys)
        ]
        return parts + list(dict.fromkeys(key for key, _ in (*self.attributes, *self.bounds)))

    def params(self) -> dict[str, str]:
        """Return the filters as the parameters of an address; several values of one are joined by commas."""
        params = {key: "1" for key in WORDS if getattr(self, key)}
        for key in ("age_months", "age_until", "born", "fee_min", "fee_max", "from_time", "until_time"):
            if getattr(self, key) not in (None, ""):
                params[key] = str(getattr(self, key))
        if self.open_at:
            params["open_at"] = f"{self.open_at:%Y-%m-%dT%H:%M}"
        if self.days:
            params["days"] = ",".join(self.days)
        for key in dict.fromkeys(key for key, _ in self.attributes):
            params[key] = ",".join(written(value) for value in self.values_of(key))
        return params | {key: str(figure) for key, figure in self.bounds}

    def condition(self, now: dt.datetime, days: WorkingDays) -> Q:
        """Return the filters as a condition on facilities; ``now`` is aware and in the city's zone, ``days`` are the
        holidays around it."""
        condition = self._hours_condition(now, days) & self._said_condition()
        if self.has_vacancy:
            condition &= Q(vacancies__gt=0, vacancies_as_of__gte=now - STALE_AFTER)
        ages = self.ages(now.date())
        if ages is not None:
            condition &= Q(attributes__age_from_months__lte=ages[0], attributes__age_to_months__gte=ages[1])
        return condition

    def _hours_condition(self, now: dt.datetime, days: WorkingDays) -> Q:
        condition = Q()
        if self.open_now:
            condition &= open_at(now, days)
        if self.open_at:
            condition &= open_at(self.open_at, days)
        if self.open_holiday:
            condition &= _on_holidays()
        for day in self.needed_days:
            condition &= Q(open_throughout_on(day, self.from_time, self.until_time))
        return condition

    def _said_condition(self) -> Q:
        condition = Q()
        if self.fee_min is not None:
            condition &= _any_of({f"attributes__{key}__gte": self.fee_min} for key in FEES)
        if self.fee_max is not None:
            condition &= _any_of({f"attributes__{key}__lte": self.fee_max} for key in FEES)
        for key in dict.fromkeys(key for key, _ in self.attributes):
            condition &= _any_of({"attributes__contains": {key: value}} for value in self.values_of(key))
        for key, figure in self.bounds:
            condition &= Q(**{f"attributes__{BOUNDS[key][0].key}__{BOUNDS[key][1]}": figure})
        return condition


def _on_holidays() -> Q:
    said = Q(hours__has_key=HOLIDAY)
    return (said & ~Q(hours__holiday=[])) | (~said & Q(hours__has_key="sun") & ~Q(hours__sun=[]))


def filter_params() -> tuple[str, ...]:
    """Return every parameter that filters are read from; those of attributes are their keys."""
    return (*OWN_PARAMS, *filterable_attributes(), *BOUNDS)


def keys_of(part: str) -> tuple[str, ...]:
    """Return the parameters that say a part of the question."""
    return PART_KEYS.get(part, (part,))


def written(value: str | bool) -> str:
    """Return a value of an attribute as an address says it."""
    return str(int(value)) if isinstance(value, bool) else value


def _any_of(conditions: Any) -> Q:
    either = Q()
    for one in conditions:
        either |= Q(**one)
    return either


def _value_words(attribute: Attribute, value: str | bool) -> str:
    if isinstance(value, bool):
        return attribute.label if value else f"非{attribute.label}"
    return attribute.choice_label(value)


def bound_words(param: str, figure: int) -> str:
    """Return what a bound asks for, in words: 床位不少于 50 张."""
    attribute, sense = BOUNDS[param]
    return f"{attribute.label}{'不少于' if sense == 'gte' else '不超过'} {figure} {attribute.unit}"


def _range_words(least: int | None, most: int | None, before: str, unit: str) -> str:
    if least is None:
        return f"{before}不超过 {most} {unit}"
    return f"{before}不低于 {least} {unit}" if most is None else f"{before} {least}–{most} {unit}"


def months_since(born: dt.date, today: dt.date) -> int:
    """Return how many whole months old somebody is."""
    return 12 * (today.year - born.year) + today.month - born.month - (today.day < born.day)


def filters_from(params: Mapping[str, Any], today: dt.date | None = None) -> Filters:
    """Return the filters that plain parameters name; raise ``BadInput`` for a value that cannot be meant.

    ``params`` may hold any of ``filter_params``, a value or several, joined by commas or as a list; other keys are not looked at,
    and ``None`` or ``""`` asks for nothing. ``today`` is the day a birthday is reckoned from, usually the present one.
    """
    filters, faults = read_filters(params, today)
    if faults:
        raise faults[0]
    return filters


def read_filters(params: Mapping[str, Any], today: dt.date | None = None) -> tuple[Filters, list[BadInput]]:
    """Return the filters that can be meant, and what is wrong with the parameters that were left out."""
    faults: list[BadInput] = []

    def read(key: str, how: Callable[[str, str], T], usual: T) -> T:
        said = _words(params.get(key))
        try:
            return how(key, said[0]) if said else usual
        except BadInput as error:
            faults.append(error)
            return usual

    attributes: list[tuple[str, str | bool]] = []
    for key, attribute in filterable_attributes().items():
        try:
            attributes += [(key, value) for value in _attribute_values(attribute, _words(params.get(key)))]
        except BadInput as error:
            faults.append(error)
    days: tuple[str, ...] = ()
    try:
        days = _days(_words(params.get("days")))
    except BadInput as error:
        faults.append(error)
    filters = Filters(
        has_vacancy=read("has_vacancy", _truth, False),
        open_now=read("open_now", _truth, False),
        open_holiday=read("open_holiday", _truth, False),
        open_at=read("open_at", _moment, None),
        age_months=read("age_months", _age, None),
        age_until=read("age_until", _age, None),
        born=read("born", lambda key, said: _birthday(said, today or dt.date.today()), None),
        fee_min=read("fee_min", _yuan, None),
        fee_max=read("fee_max", _yuan, None),
        days=days,
        from_time=read("from_time", _clock, ""),
        until_time=read("until_time", _clock, ""),
        attributes=tuple(attributes),
        bounds=tuple((key, figure) for key in BOUNDS if (figure := read(key, _figure, None)) is not None),
    )
    return _without_contradictions(filters, faults, today or dt.date.today())


def _without_contradictions(filters: Filters, faults: list[BadInput], today: dt.date) -> tuple[Filters, list[BadInput]]:
    """Return the filters without what contradicts itself, and a sentence for each contradiction."""
    if filters.born and filters.age_months is not None:
        if months_since(filters.born, today) != filters.age_months:
            said = f"生日和月龄对不上，按生日（现在 {months_since(filters.born, today)} 个月）为您查。"
            faults.append(BadInput("filter_contradicts", said, parameter="age_months"))
        filters = replace(filters, age_months=None)
    first = months_since(filters.born, today) if filters.born else filters.age_months
    if first is not None and filters.age_until is not None and filters.age_until < first:
        said = f"月龄从 {first} 到 {filters.age_until} 前后颠倒了，请改成由小到大；先按 {first} 个月为您查。"
        faults.append(BadInput("filter_contradicts", said, parameter="age_until"))
        filters = replace(filters, age_until=None)
    if filters.open_at and not 0 <= (filters.open_at.date() - today).days < CALENDAR_DAYS:
        faults.append(BadInput("filter_invalid", "时刻要从今天起、一年以内；先不按它筛选。", parameter="open_at"))
        filters = replace(filters, open_at=None)
    if filters.fee_min is not None and filters.fee_max is not None and filters.fee_max < filters.fee_min:
        said = f"收费从 {filters.fee_min} 到 {filters.fee_max} 元前后颠倒了，请改成由低到高；先不按收费筛选。"
        faults.append(BadInput("filter_contradicts", said, parameter="fee_max"))
        filters = replace(filters, fee_min=None, fee_max=None)
    if filters.from_time and filters.until_time and filters.until_time <= filters.from_time:
        said = f"最晚接（{filters.until_time}）要晚于最早送（{filters.from_time}），请改一改；先不按这两个时间筛选。"
        faults.append(BadInput("filter_contradicts", said, parameter="until_time"))
        filters = replace(filters, from_time="", until_time="")
    return filters, faults


def _words(said: Any) -> list[str]:
    """Return the values a parameter holds, each once."""
    if said is None:
        return []
    texts = [str(one) for one in said] if isinstance(said, list | tuple) else [str(said)]
    words = [word.strip() for text in texts for word in text.replace("，", ",").split(",")]
    return list(dict.fromkeys(word for word in words if word))[:MOST_VALUES]


def _attribute_values(attribute: Attribute, said: Sequence[str]) -> list[str | bool]:
    if attribute.type == "boolean":
        return [_truth(attribute.key, word) for word in said]
    if all(attribute.accepts(word) for word in said):
        return list(said)
    known = [value for value, _ in attribute.choices]
    raise BadInput(
        "filter_invalid", f"“{attribute.label}”可选：{'、'.join(known)}。", parameter=attribute.key, known=known
    )


def _days(said: Sequence[str]) -> tuple[str, ...]:
    if not set(said) <= set(DAYS):
        raise BadInput("filter_invalid", f"要开门的日子可选：{'、'.join(DAYS)}。", parameter="days", known=list(DAYS))
    return tuple(day for day in DAYS if day in said)


def _truth(key: str, said: str) -> bool:
    word = said.lower()
    if word in {"1", "true", "yes", "on", "是"}:
        return True
    if word in {"0", "false", "no", "off", "否"}:
        return False
    raise BadInput("filter_invalid", f"参数 {key} 只能是 true 或 false。", parameter=key)


def _age(key: str, said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) <= 3 and int(said) <= OLDEST_MONTHS):
        raise BadInput("filter_invalid", f"月龄要填 0 到 {OLDEST_MONTHS} 之间的整数。", parameter=key)
    return int(said)


def _yuan(key: str, said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) <= 6 and int(said) <= DEAREST_YUAN):
        raise BadInput("filter_invalid", f"收费要填 0 到 {DEAREST_YUAN} 之间的整数，单位是元。", parameter=key)
    return int(said)


def _figure(key: str, said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) <= 6):
        raise BadInput("filter_invalid", f"“{BOUNDS[key][0].label}”要填整数。", parameter=key)
    return int(said)


def _birthday(said: str, today: dt.date) -> dt.date:
    try:
        born = dt.date.fromisoformat(said)
    except ValueError:
        raise BadInput("filter_invalid", "生日要写成 2024-05-01 这样的日期。", parameter="born") from None
    if not 0 <= months_since(born, today) <= OLDEST_MONTHS:
        raise BadInput("filter_invalid", "生日要在今天以前、18 年以内，请核对。", parameter="born")
    return born


def _clock(key: str, said: str) -> str:
    if not _TIME.fullmatch(said):
        raise BadInput("filter_invalid", "时间要写成 07:30 这样的形式。", parameter=key)
    return said


def _moment(key: str, said: str) -> dt.datetime:
    try:
        moment = dt.datetime.strptime(said, "%Y-%m-%dT%H:%M")
    except ValueError:
        raise BadInput("filter_invalid", "时刻要写成 2026-10-01T09:30 这样的形式。", parameter=key) from None
    return moment


def open_at(now: dt.datetime, days: WorkingDays) -> Q:
    """Return whether ``Facility.hours`` hold ``now``, as the database sees it; the same rule as ``hours.opening_at``."""
    today, yesterday = now.date(), now.date() - dt.timedelta(days=1)
    since = "exists($.{key}[*] ? (@[0] <= $now && ($now < @[1] || @[1] <= @[0])))"
    over_midnight = "exists($.{key}[*] ? (@[1] <= @[0] && $now < @[1]))"
    return _held(keys_of_day(today, days), since, now) | _held(keys_of_day(yesterday, days), over_midnight, now)


def open_throughout_on(day: str, since: str, until: str) -> ExpressionWrapper[Func]:
    """Return whether the hours of a day hold a time, as the database sees it; the same rule as ``hours.open_throughout``."""
    held = {
        (True, True): "@[0] <= $since && ($until <= @[1] || @[1] <= @[0])",
        (True, False): "@[0] <= $since && ($since < @[1] || @[1] <= @[0])",
        (False, True): "@[0] < $until && ($until <= @[1] || @[1] <= @[0])",
        (False, False): "@[0] != @[1]",
    }[bool(since), bool(until)]
    return _path_holds(f"exists($.{day}[*] ? ({held}))", {"since": since, "until": until})


def _held(keys: Sequence[DayKey], path: str, now: dt.datetime) -> Q:
    """Return whether the path holds of the first entry of the hours whose condition is met."""
    condition, before = Q(), Q()
    for each in keys:
        met = Q(hours__has_key=each.key) if each.must else Q()
        if each.must == "be_filled":
            met &= ~Q(**{f"hours__{each.key}": []})
        condition |= before & met & Q(_path_holds(path.format(key=each.key), {"now": f"{now:%H:%M}"}))
        before &= ~met if met else Q()
    return condition


def _path_holds(path: str, values: Mapping[str, str]) -> ExpressionWrapper[Func]:
    # Strict: lax mode would look into each pair of times instead of at it. Silent: a row of another shape is not open.
    strict = Func(Value(f"strict $ ? ({path})"), template="%(expressions)s::jsonpath")
    given = Func(Value(json.dumps(values)), template="%(expressions)s::jsonb")
    return ExpressionWrapper(
        Func(F("hours"), strict, given, template="jsonb_path_exists(%(expressions)s, true)"),
        output_field=BooleanField(),
    )
