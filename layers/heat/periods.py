"""The periods figures are asked for: days, weeks and months of the calendar; of facts about persons months that are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, Literal

from geo.errors import BadInput
from layers.facts.counting import Choices, Period
from layers.facts.spec import FactSpec

Step = Literal["day", "week", "month"]
STEPS: Final[Mapping[Step, str]] = {"day": "按日", "week": "按周", "month": "按月"}
MOST_BLOCKS: Final = 120
"""How many periods are offered at most, the latest."""


def steps_of(spec: FactSpec) -> tuple[Step, ...]:
    """Return the steps a fact may be asked in: none for a standing one, months only for what is about persons."""
    if not spec.moment:
        return ()
    return ("month",) if spec.heads else ("day", "week", "month")


def block_at(step: Step, day: dt.date) -> Period:
    """Return the day, the week from Monday, or the month that holds a day."""
    if step == "day":
        return Period(day, day)
    if step == "week":
        monday = day - dt.timedelta(days=day.weekday())
        return Period(monday, monday + dt.timedelta(days=6))
    first = day.replace(day=1)
    return Period(first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1))


def blocks(spec: FactSpec, step: Step, span: Period | None, *, today: dt.date) -> list[Period]:
    """Return the periods of a step that may be asked for of a fact with rows on the days ``span``: the last 120, in order."""
    found: list[Period] = []
    if span is None:
        return found
    block = block_at(step, span.last)
    while block.last >= span.first and len(found) < MOST_BLOCKS:
        if not spec.heads or block.last < today:
            found.append(block)
        block = block_at(step, block.first - dt.timedelta(days=1))
    return found[::-1]


def check_tellable(spec: FactSpec, period: Period | None, choices: Choices, *, today: dt.date) -> None:
    """Raise ``BadInput`` for a question about persons whose answers, taken from each other, would tell of too few."""
    if not spec.heads:
        return
    if not spec.moment:
        raise BadInput("fact_of_persons", f"“{spec.title}”说的是现在的人数，不公布热力。", parameter="fact")
    if any(choices.values()):
        raise BadInput(
            "persons_narrowed", f"“{spec.title}”涉及人，只看全部，不能再加条件。", parameter=next(iter(choices))
        )
    if period is None or period != block_at("month", period.first) or period.last >= today:
        raise BadInput(
            "persons_by_month",
            f"“{spec.title}”涉及人，按月公布，当月的下月 1 日起可看。请选一个整月。",
            parameter="from",
        )
