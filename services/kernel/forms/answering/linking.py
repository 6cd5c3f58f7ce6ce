"""Linkage: which items of a form appear, which must be answered and which terms are offered, given the answers so far. Pure.

An item that does not appear counts as not answered for the conditions of others, so items are settled in the order in
which they depend on each other; a loop has no such order and is refused when a form is composed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from services.kernel.expressions import Kind
from services.kernel.forms.answering.conditions import holds, names_of
from services.kernel.forms.answering.identity import carried_by
from services.kernel.forms.spec import Field, Form, Item, Question, When

TODAY: Final = "today"
_KINDS: Final[dict[str, Kind]] = {
    "integer": "number", "decimal": "number", "place": "number", "group": "number", "day": "day", "yes_no": "flag",
    "choices": "texts",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Linked:
    """What a form asks at some moment: keys of the items that appear, of those that must be answered, terms by question."""

    shown: frozenset[str]
    required: frozenset[str]
    offered: Mapping[str, tuple[str, ...]]


def kinds_of(form: Form) -> dict[str, Kind]:
    """Return the facts that conditions and checks of a form may read, with their kinds.

    Every question by its key; of an identity number also its birthday and sex (``key.birthday``, ``key.sex``); and
    ``today``. Of a group the number of its rows.
    """
    kinds: dict[str, Kind] = {TODAY: "day"}
    for question in form.questions():
        kinds[question.key] = _KINDS.get(question.field.kind, "text")
        if question.field.kind == "identity":
            kinds |= {f"{question.key}.birthday": "day", f"{question.key}.sex": "text"}
    return kinds


def labels_of(form: Form) -> dict[str, str]:
    """Return what people call the facts of ``kinds_of``."""
    labels = {TODAY: "今天"}
    for question in form.questions():
        labels[question.key] = question.field.label
        if question.field.kind == "identity":
            labels |= {f"{question.key}.birthday": f"{question.field.label}里的出生日期",
                       f"{question.key}.sex": f"{question.field.label}里的性别"}  # fmt: skip
    return labels


def choices_of(form: Form) -> dict[str, dict[str, str]]:
    """Return the labels of the codes that questions are answered with, by key."""
    return {
        question.key: {term.code: term.label for term in form.dictionary(question.field.dictionary).terms}
        for question in form.questions()
        if question.field.dictionary
    }


def facts_of(field: Field, value: Any) -> dict[str, object]:
    """Return what conditions may read of one answer in its kept form."""
    if value is None:
        return {}
    if field.kind == "group":
        return {field.key: len(value)}
    if field.kind == "identity" and (carried := carried_by(value)):
        return {field.key: value, f"{field.key}.birthday": carried.birthday, f"{field.key}.sex": carried.sex}
    return {field.key: value}


def link(form: Form, values: Mapping[str, Any], today: dt.date) -> Linked:
    """Return what a form asks, given answers in their kept forms. Raises ``ValueError`` for a form with a loop."""
    items = {item.key: item for item in form.items()}
    kinds = kinds_of(form)
    facts: dict[str, object] = {TODAY: today}
    shown, required, offered = set(), set(), {}
    for key in _order(items):
        item = items[key]
        if not _holds(item.shown, kinds, facts, True):
            continue
        shown.add(key)
        if is_required(item) or _holds(item.required, kinds, facts, False):
            required.add(key)
        if isinstance(item, Question):
            if item.field.dictionary:
                offered[key] = _offered(item, form, kinds, facts)
            facts |= facts_of(item.field, values.get(key))
    return Linked(frozenset(shown), frozenset(required), offered)


def is_required(item: Item) -> bool:
    """Say whether an item must be answered whenever it appears."""
    return item.field.checks.required if isinstance(item, Question) else item.certificate.least > 0


def loops_in(items: Iterable[Item]) -> list[str]:
    """Return the keys of a loop of items that depend on each other, the first again at the end; [] where there is none."""
    try:
        _order({item.key: item for item in items})
    except CycleError as loop:
        return list(loop.args[1])
    return []


def reads_of(item: Item) -> frozenset[str]:
    """Return the keys of the items that an item's conditions read."""
    conditions = [item.shown, item.required]
    if isinstance(item, Question):
        conditions += [offer.when for offer in item.offers]
    names = frozenset[str]().union(*(names_of(each) for each in conditions if each is not None))
    return frozenset(name.partition(".")[0] for name in names) - {TODAY}


def _order(items: Mapping[str, Item]) -> list[str]:
    """Return the keys so that each comes after those it reads, else in the order of the form."""
    return list(TopologicalSorter({key: reads_of(item) & items.keys() for key, item in items.items()}).static_order())


def _holds(when: When | None, kinds: Mapping[str, Kind], facts: Mapping[str, object], without: bool) -> bool:
    return without if when is None else holds(when, kinds, facts)


def _offered(question: Question, form: Form, kinds: Mapping[str, Kind], facts: Mapping[str, object]) -> tuple[str, ...]:
    codes = [term.code for term in form.dictionary(question.field.dictionary).terms if term.active]
    if question.codes:
        codes = [code for code in codes if code in question.codes]
    for offer in question.offers:
        if holds(offer.when, kinds, facts):
            codes = [code for code in codes if code in offer.codes]
    return tuple(codes)
