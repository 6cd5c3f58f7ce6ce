"""The checks of one field on one answer in its kept form: bounds, lengths, days, terms, patterns. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from services.kernel.forms.answering.patterns import matches
from services.kernel.forms.answering.reading import Wrong
from services.kernel.forms.spec import Field


def check_answer(field: Field, value: Any, offered: Sequence[str] | None, today: dt.date) -> None:
    """Raise ``Wrong`` where an answer breaks a check of its field; ``offered`` are the terms that may be chosen now."""
    for check in _CHECKS.get(field.kind, (_lengths, _pattern)):
        check(field, value, today)
    if field.kind in ("choice", "choices") and offered is not None:
        _terms(value, offered)


def _lengths(field: Field, value: Any, today: dt.date) -> None:
    size, counter = len(value), "项" if isinstance(value, list) else "个字"
    if field.checks.shortest is not None and size < field.checks.shortest:
        raise Wrong("too_short", f"至少 {field.checks.shortest} {counter}。")
    if field.checks.longest is not None and size > field.checks.longest:
        raise Wrong("too_long", f"最多 {field.checks.longest} {counter}。")


def _bounds(field: Field, value: Any, today: dt.date) -> None:
    number, unit = Decimal(value), field.unit
    if field.checks.least is not None and number < Decimal(field.checks.least):
        raise Wrong("too_small", f"不能小于 {field.checks.least}{unit}。")
    if field.checks.most is not None and number > Decimal(field.checks.most):
        raise Wrong("too_large", f"不能大于 {field.checks.most}{unit}。")


def bound_day(text: str, today: dt.date) -> dt.date:
    """Return the day of a bound: an ISO day, or today."""
    return today if text == "today" else dt.date.fromisoformat(text)


def _days(field: Field, value: Any, today: dt.date) -> None:
    month = field.kind == "month"
    day = dt.date.fromisoformat(f"{value}-01" if month else value)
    for bound, before in ((field.checks.earliest, True), (field.checks.latest, False)):
        if not bound:
            continue
        limit = bound_day(bound, today)
        if month:
            limit = limit.replace(day=1)
        if (day < limit) if before else (day > limit):
            words = "今天" if bound == "today" else f"{limit:%Y-%m}" if month else limit.isoformat()
            raise Wrong("too_early" if before else "too_late", f"不能{'早' if before else '晚'}于{words}。")


def _born(field: Field, value: Any, today: dt.date) -> None:
    born = f"{value[6:10]}-{value[10:12]}-{value[12:14]}"
    if dt.date.fromisoformat(born) > today:
        raise Wrong("not_identity", "身份证号里的出生日期还没有到，请对照证件核对。")
    _days(field, born, today)


def _pattern(field: Field, value: Any, today: dt.date) -> None:
    if field.checks.pattern and not matches(field.checks.pattern, value):
        raise Wrong("pattern", field.checks.pattern_says or "格式不对，请看说明后再填。")


def _terms(value: Any, offered: Sequence[str]) -> None:
    chosen = value if isinstance(value, list) else [value]
    if any(code not in offered for code in chosen):
        raise Wrong("not_offered", "所选的选项已不可用，请重新选择。")


Check = Callable[[Field, Any, dt.date], None]
_CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    "integer": (_bounds,), "decimal": (_bounds,), "day": (_days,), "month": (_days,), "yes_no": (), "place": (),
    "region": (), "choice": (), "choices": (_lengths,), "identity": (_born, _pattern), "group": (_lengths,),
}  # fmt: skip
