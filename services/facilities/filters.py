"""What a list or a circle of facilities is narrowed by, as one value that page, API and tile share."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import BooleanField, ExpressionWrapper, F, Func, Q, Value

from geo.calendars.working import WorkingDays
from geo.errors import BadInput
from services.facilities.hours import DayKey, keys_of_day
from services.facilities.kinds import KINDS, Attribute
from services.facilities.vacancies import STALE_AFTER

FILTERABLE: Final[Mapping[str, Attribute]] = {
    attribute.key: attribute
    for kind in KINDS
    for attribute in kind.attributes
    if attribute.filterable and attribute.type in ("boolean", "choice")
}
"""Attributes a list may be narrowed by, by key; the bounds of age are asked for through ``age_months``."""
WORDS: Final = {"has_vacancy": "有余位", "open_now": "现在营业"}
OLDEST_MONTHS: Final = 216


@dataclass(frozen=True, slots=True)
class Filters:
    """Everything that must hold of a facility. Stale vacancies are no vacancies; ``age_months`` must lie in the accepted ages."""

    has_vacancy: bool = False
    open_now: bool = False
    age_months: int | None = None
    attributes: tuple[tuple[str, str | bool], ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is asked for."""
        return self == Filters()

    def spoken(self) -> list[str]:
        """Return the filters as words people would use, such as 有余位 and 全日托."""
        said = [word for key, word in WORDS.items() if getattr(self, key)]
        if self.age_months is not None:
            said.append(f"收 {self.age_months} 个月的孩子")
        for key, value in self.attributes:
            attribute = FILTERABLE[key]
            words = attribute.label if value is True else attribute.choice_label(value)
            said.append(f"非{words}" if value is False else words)
        return said

    def without(self, part: str) -> Filters:
        """Return the filters with one of ``parts`` taken out."""
        if part == "has_vacancy":
            return replace(self, has_vacancy=False)
        if part == "open_now":
            return replace(self, open_now=False)
        if part == "age_months":
            return replace(self, age_months=None)
        return replace(self, attributes=tuple(pair for pair in self.attributes if pair[0] != part))

    @property
    def parts(self) -> list[str]:
        """Return the names of what is asked for, in the order of ``spoken``."""
        own = [key for key in ("has_vacancy", "open_now") if getattr(self, key)]
        age = ["age_months"] if self.age_months is not None else []
        return own + age + [key for key, _ in self.attributes]

    def condition(self, now: dt.datetime, days: WorkingDays) -> Q:
        """Return the filters as a condition on facilities; ``now`` is aware and in the city's zone, ``days`` are the
        holidays around it."""
        condition = Q()
        if self.has_vacancy:
            condition &= Q(vacancies__gt=0, vacancies_as_of__gte=now - STALE_AFTER)
        if self.open_now:
            condition &= open_at(now, days)
        if self.age_months is not None:
            condition &= Q(
                attributes__age_from_months__lte=self.age_months, attributes__age_to_months__gte=self.age_months
            )
        for key, value in self.attributes:
            condition &= Q(attributes__contains={key: value})
        return condition


def filters_from(params: Mapping[str, Any]) -> Filters:
    """Return the filters that plain parameters name; raise ``BadInput`` for a value that cannot be meant.

    ``params`` may hold ``has_vacancy``, ``open_now``, ``age_months`` and any key of ``FILTERABLE``; other keys are not looked at,
    and ``None`` or ``""`` asks for nothing.
    """
    attributes: list[tuple[str, str | bool]] = []
    for key, attribute in FILTERABLE.items():
        said = params.get(key)
        if said is None or said == "":
            continue
        if attribute.type == "boolean":
            attributes.append((key, _truth(key, said)))
        elif attribute.accepts(str(said)):
            attributes.append((key, str(said)))
        else:
            known = [value for value, _ in attribute.choices]
            raise BadInput(
                "filter_invalid", f"“{attribute.label}”可选：{'、'.join(known)}。", parameter=key, known=known
            )
    return Filters(
        has_vacancy=_flag(params, "has_vacancy"),
        open_now=_flag(params, "open_now"),
        age_months=_age(params.get("age_months")),
        attributes=tuple(attributes),
    )


def _flag(params: Mapping[str, Any], key: str) -> bool:
    said = params.get(key)
    return False if said is None or said == "" else _truth(key, said)


def _truth(key: str, said: Any) -> bool:
    word = str(said).strip().lower()
    if word in {"1", "true", "yes", "on", "是"}:
        return True
    if word in {"0", "false", "no", "off", "否"}:
        return False
    raise BadInput("filter_invalid", f"参数 {key} 只能是 true 或 false。", parameter=key)


def _age(said: Any) -> int | None:
    if said is None or said == "":
        return None
    text = str(said).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= OLDEST_MONTHS):
        raise BadInput("filter_invalid", f"月龄要填 0 到 {OLDEST_MONTHS} 之间的整数。", parameter="age_months")
    return int(text)


def open_at(now: dt.datetime, days: WorkingDays) -> Q:
    """Return whether ``Facility.hours`` hold ``now``, as the database sees it; the same rule as ``hours.opening_at``."""
    today, yesterday = now.date(), now.date() - dt.timedelta(days=1)
    since = "exists($.{key}[*] ? (@[0] <= $now && ($now < @[1] || @[1] <= @[0])))"
    over_midnight = "exists($.{key}[*] ? (@[1] <= @[0] && $now < @[1]))"
    return _held(keys_of_day(today, days), since, now) | _held(keys_of_day(yesterday, days), over_midnight, now)


def _held(keys: Sequence[DayKey], path: str, now: dt.datetime) -> Q:
    """Return whether the path holds of the first entry of the hours whose condition is met."""
    condition, before = Q(), Q()
    for each in keys:
        met = Q(hours__has_key=each.key) if each.must else Q()
        if each.must == "be_filled":
            met &= ~Q(**{f"hours__{each.key}": []})
        condition |= before & met & Q(_path_holds(path.format(key=each.key), now))
        before &= ~met if met else Q()
    return condition


def _path_holds(path: str, now: dt.datetime) -> ExpressionWrapper[Func]:
    # Strict: lax mode would look into each pair of times instead of at it. Silent: a row of another shape is not open.
    strict = Func(Value(f"strict $ ? ({path})"), template="%(expressions)s::jsonpath")
    moment = Func(Value(json.dumps({"now": f"{now:%H:%M}"})), template="%(expressions)s::jsonb")
    return ExpressionWrapper(
        Func(F("hours"), strict, moment, template="jsonb_path_exists(%(expressions)s, true)"),
        output_field=BooleanField(),
    )
