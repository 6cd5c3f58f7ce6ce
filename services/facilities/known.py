"""Everything that is known of one place, fact by fact: its words, as of when, from whom, and what nobody has said yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef

from geo.imports.models import Correction
from services.facilities.hours import DAY_NAMES, HOLIDAY, hours_on
from services.facilities.kinds import Attribute, kind_of
from services.facilities.models import Facility
from services.facilities.places import Place
from services.facilities.queries import Detail, city_now, days_around
from services.facilities.vacancies import REPORTED_BY

UNKNOWN: Final = "没有登记"
BY_STAFF: Final = "工作人员核对"
CAPACITY: Final = {"childcare": "托位", "preschool": "学位", "eldercare": "名额"}
FEES: Final = frozenset(
    {"fee_month_yuan", "fee_hour_yuan", "fee_from_yuan", "fee_to_yuan", "meal_price_yuan", "free_visits_year"}
)
_RANGES: Final = {
    "age_from_months": ("age_to_months", "适合月龄", "{} 个月"),
    "fee_from_yuan": ("fee_to_yuan", "费用", "每月 {} 元"),
}
_ENDS: Final = frozenset(high for high, _, _ in _RANGES.values())


@dataclass(frozen=True, slots=True)
class Known:
    """One fact: ``lines`` are its words, ``as_of`` the day it is known of, ``source`` who says so; ``said`` is false for none."""

    key: str
    section: str
    label: str
    lines: tuple[str, ...]
    as_of: dt.date | None
    source: str
    said: bool = True

    @property
    def text(self) -> str:
        """Return the words on one line."""
        return "，".join(self.lines)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells the facts of one place: each with the correction that set it right, else with the day and the source of its row."""

    detail: Detail
    corrected: Mapping[str, dt.date]

    def fact(self, key: str, section: str, label: str, *lines: str, day: dt.date | None = None, by: str = "") -> Known:
        said = tuple(line for line in lines if line)
        right = self.corrected.get(key)
        return Known(
            key=key,
            section=section,
            label=label,
            lines=said or (UNKNOWN,),
            as_of=right or day or self.detail.place.as_of,
            source=BY_STAFF if right else by or self.detail.source,
            said=bool(said),
        )


def known_of(detail: Detail) -> list[Known]:
    """Return the facts of a place in the order in which families ask for them; what is not known is there too, and says so."""
    place = detail.place
    tell = _Teller(detail, corrections_of(place.id))
    facts = [*_opening(tell), *_room(tell)]
    facts += sorted(_declared(tell), key=lambda fact: ["收费", "服务"].index(fact.section))
    facts += [
        tell.fact("address_text", "联系", "地址", place.address),
        tell.fact("phone", "联系", "电话", place.phone),
        tell.fact("organisation", "联系", "主办", detail.organisation),
        tell.fact("status", "联系", "状态", place.status_name),
    ]
    return facts


def corrections_of(facility_id: int) -> dict[str, dt.date]:
    """Return the fields of a facility that people set right, with the day they last did."""
    zone = city_now().tzinfo
    place = Facility.objects.filter(pk=facility_id, source=OuterRef("source"), ext_id=OuterRef("ext_id"))
    made = Correction.objects.filter(Exists(place), cleared_at=None).values_list("field", "created_at")
    return {field.removeprefix("attributes."): at.astimezone(zone).date() for field, at in made}


def _opening(tell: _Teller) -> Iterator[Known]:
    place, day = tell.detail.place, tell.detail.place.hours_as_of
    if not place.hours:
        yield tell.fact("hours", "开放时间", "开放时间")
        return
    now = city_now()
    days = days_around(now)
    name = f"{DAY_NAMES[now.weekday()]}{'，节假日' if days.is_holiday(now.date()) else ''}"
    yield tell.fact(
        "hours", "开放时间", "今天", f"{name} {hours_on(place.hours, now.date(), days)}", place.opening.text, day=day
    )
    week = [f"{which} {hours}" for which, hours in tell.detail.week]
    yield tell.fact("hours", "开放时间", "每周", *week, day=day)
    if HOLIDAY not in place.hours:
        yield tell.fact("hours", "开放时间", "节假日", f"没有单独登记，一般按周日：{_sunday(place)}", day=day)


def _sunday(place: Place) -> str:
    return "、".join(f"{begin}–{end}" for begin, end in place.hours.get("sun", ())) or "休息"


def _room(tell: _Teller) -> Iterator[Known]:
    place = tell.detail.place
    name = CAPACITY.get(place.group, "名额")
    free = place.vacancies
    if place.group in CAPACITY or free.count is not None:
        words = "" if free.count is None else free.text if free.fresh else f"{free.text}，{free.said}，去之前先打个电话"
        day = free.as_of.date() if free.as_of else None
        by = REPORTED_BY.get(free.source, "来源未注明") if free.count is not None else ""
        yield tell.fact("vacancies", "余位和规模", "余位", words, day=day, by=by)
    if place.group in CAPACITY or place.places is not None:
        yield tell.fact("places", "余位和规模", name, "" if place.places is None else f"{place.places} 个")


def _declared(tell: _Teller) -> Iterator[Known]:
    said = tell.detail.place.attributes
    for attribute in kind_of(tell.detail.place.kind).attributes:
        if attribute.key in _ENDS:
            continue
        section = "收费" if attribute.key in FEES else "服务"
        if attribute.key in _RANGES:
            high, label, form = _RANGES[attribute.key]
            ends = dict.fromkeys(str(said[key]) for key in (attribute.key, high) if said.get(key) is not None)
            yield tell.fact(attribute.key, section, label, form.format("–".join(ends)) if ends else "")
        else:
            yield tell.fact(attribute.key, section, attribute.label, _words(attribute, said))


def _words(attribute: Attribute, said: Mapping[str, Any]) -> str:
    value = said.get(attribute.key)
    return "" if value in (None, "") else attribute.choice_label(value)
