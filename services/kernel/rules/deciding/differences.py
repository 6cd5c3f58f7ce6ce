"""What changed between two tables, by row and cell, and how two outcomes of one case compare. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from services.kernel.rules.deciding.cells import value_words
from services.kernel.rules.deciding.sheets import Line, Sheet
from services.kernel.rules.deciding.tables import asked_of
from services.kernel.rules.spec import RuleSetSpec

What = Literal["added", "removed", "moved", "cell", "column_added", "column_removed"]
Outcome = Literal["same", "changed", "undecided", "decided", "fault"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what, in which row (by its later number, its earlier one where it is gone) and column, from what to what."""

    what: What
    row: int = 0
    key: str = ""
    column: str = ""
    before: str = ""
    after: str = ""

    def data(self) -> dict[str, Any]:
        """Return the change as JSON."""
        return asdict(self)


def cells_of(sheet: Sheet, line: Line) -> dict[str, str]:
    """Return the texts of a row by column: what the column asks, the key of the result, or ``note``."""
    return dict(zip((*sheet.asks, *sheet.gives, "note"), (*line.tests, *line.results, line.note), strict=True))


def changes_between(before: Sheet, after: Sheet) -> list[Change]:
    """Return what changed from one table to a later one: columns first, then rows in their order, at last rows that are gone."""
    found = [Change("column_removed", column=ask) for ask in before.asks if ask not in after.asks]
    found += [Change("column_added", column=ask) for ask in after.asks if ask not in before.asks]
    old = {line.key: (number, line) for number, line in enumerate(before.lines, 1)}
    kept = [line.key for line in after.lines if line.key in old]
    steady = _steady([old[key][0] for key in kept])
    for number, line in enumerate(after.lines, 1):
        was = old.get(line.key)
        if was is None:
            found.append(Change("added", number, line.key))
            continue
        if was[0] not in steady:
            found.append(Change("moved", number, line.key, before=str(was[0]), after=str(number)))
        earlier, later = cells_of(before, was[1]), cells_of(after, line)
        found += [
            Change("cell", number, line.key, column, earlier.get(column, ""), text)
            for column, text in later.items()
            if earlier.get(column, "") != text
        ]
    staying = {line.key for line in after.lines}
    found += [Change("removed", number, key) for key, (number, _) in old.items() if key not in staying]
    return found


def _steady(numbers: Sequence[int]) -> set[int]:
    """Return the longest run of old numbers that still ascends: those rows stayed, the others were moved around them."""
    best: list[tuple[int, int]] = []  # for each place the length of the run that ends there, and where it came from
    for at, number in enumerate(numbers):
        length, came = max(((best[e][0], e) for e in range(at) if numbers[e] < number), default=(0, -1))
        best.append((length + 1, came))
    steady: set[int] = set()
    at = max(range(len(best)), key=lambda each: best[each][0], default=-1)
    while at >= 0:
        steady.add(numbers[at])
        at = best[at][1]
    return steady


def results_words(results: Sequence[Mapping[str, Any]], spec: RuleSetSpec) -> str:
    """Return kept results in Chinese, '' where no row applied."""
    several = []
    for given in results:
        parts = []
        for fact in spec.outputs:
            value = given.get(fact.key)
            if value is None:
                continue
            value = frozenset(value) if isinstance(value, list) else value
            word = value_words(value, asked_of(fact))
            parts.append(word if len(spec.outputs) == 1 else f"{fact.label} {word}")
        several.append("，".join(parts) or "（空）")
    return "；".join(several)


def outcome_words(results: Sequence[Mapping[str, Any]] | None, spec: RuleSetSpec) -> str:
    """Return an outcome in Chinese; None stands for one that cannot be computed."""
    return "算不出来" if results is None else results_words(results, spec) or "没有结果"


def compare(before: Sequence[Mapping[str, Any]] | None, after: Sequence[Mapping[str, Any]] | None) -> Outcome:
    """Say how an outcome differs from the one before it; None stands for one that cannot be computed."""
    if after is None:
        return "fault"
    if before is not None and list(before) == list(after):
        return "same"
    if not after:
        return "undecided"
    return "decided" if not before else "changed"
