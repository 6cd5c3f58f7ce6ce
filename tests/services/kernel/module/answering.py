"""Answers that a form would take, made from what it declares: enough to hand in the form of any module."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import find, settings
from hypothesis.strategies import from_regex

from services.kernel.forms.spec import Dictionary, Field, Form

IDENTITY = "110101201903070017"
"""An invented identity number with a right last digit."""


@dataclass(frozen=True)
class Ground:
    """What answers may name of a city: a written address, the code of a region of each level, a place of each kind."""

    address: str
    regions: dict[str, str]
    places: dict[str, int]


def answers_for(form: Form, ground: Ground) -> dict[str, Any]:
    """Return an answer to every question of a form; those that turn out not to be asked the form drops by itself."""
    return {
        one.key: answer(
            one.field, form.dictionaries, ground, offered=_offered(one.codes, [each.codes for each in one.offers])
        )
        for one in form.questions()
    }


def _offered(codes: Sequence[str], offers: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the terms that are offered whatever else was answered; none for any term."""
    always = set(codes) if codes else None
    for each in offers:
        always = set(each) if always is None else always & set(each)
    return tuple(sorted(always or ()))


def answer(field: Field, dictionaries: Sequence[Dictionary], ground: Ground, *, offered: Sequence[str] = ()) -> Any:
    """Return an answer to a field, one of the terms ``offered`` where there are any."""
    if field.kind == "group":
        return [{each.key: answer(each, dictionaries, ground) for each in field.columns}]
    if field.kind in {"choice", "choices"}:
        terms = [
            term.code for each in dictionaries if each.key == field.dictionary for term in each.terms if term.active
        ]
        fitting = [code for code in terms if not offered or code in offered]
        return fitting[0] if field.kind == "choice" else fitting[: field.checks.shortest or 1]
    return _PLAIN[field.kind](field, ground)


def _text(field: Field) -> str:
    if field.checks.pattern:
        return str(
            find(
                from_regex(field.checks.pattern, fullmatch=True),
                lambda text: text.isascii(),
                settings=settings(database=None),
            )
        )
    return ("合成的回答" * 40)[: max(field.checks.shortest or 0, min(field.checks.longest or 5, 5))]


def _day(field: Field) -> dt.date:
    today = dt.date.today()
    ends = [each for each in (field.checks.earliest, field.checks.latest) if each]
    days = sorted(today if each == "today" else dt.date.fromisoformat(each) for each in ends)
    return days[-1] if days else today


def _place(field: Field, ground: Ground) -> int:
    fitting = (ground.places[kind] for kind in field.facility_kind.split(",") if kind in ground.places)
    return next(fitting, 0) or next(iter(ground.places.values()))


_PLAIN: Mapping[str, Callable[[Field, Ground], Any]] = {
    "text": lambda field, _: _text(field),
    "long_text": lambda field, _: _text(field),
    "integer": lambda field, _: field.checks.least or "1",
    "decimal": lambda field, _: field.checks.least or "1",
    "day": lambda field, _: _day(field).isoformat(),
    "month": lambda field, _: f"{_day(field):%Y-%m}",
    "yes_no": lambda field, _: True,
    "phone": lambda field, _: "13900001234",
    "identity": lambda field, _: IDENTITY,
    "name": lambda field, _: "林小满",
    "region": lambda field, ground: ground.regions[field.level],
    "address": lambda field, ground: ground.address,
    "place": _place,
}
