"""One form and what somebody answered: the answers to keep, or what is wrong with them. Page, API and imports all ask
here. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.kernel.expressions import Expression, ExpressionFault
from services.kernel.forms.answering.checking import check_answer
from services.kernel.forms.answering.known import Known
from services.kernel.forms.answering.linking import Linked, facts_of, kinds_of, link
from services.kernel.forms.answering.reading import MOST_ROWS, Wrong, is_blank, read
from services.kernel.forms.spec import Field, Form, Paper

MOST_UNKNOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one answer: where (``key``, or ``key.row.column`` in a group), a stable code, and what to do."""

    field: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of answers: those to keep, of items that appear only, and what is wrong with them, in the order of the form.

    With faults, ``answers`` holds what could be read: enough to show the page again, never enough to hand in.
    """

    answers: dict[str, Any]
    faults: tuple[Fault, ...]
    linked: Linked

    @property
    def good(self) -> bool:
        """Say whether it may be handed in."""
        return not self.faults

    def faults_at(self, key: str) -> list[Fault]:
        """Return the faults of one item, those in its rows too."""
        return [fault for fault in self.faults if fault.field.partition(".")[0] == key]


def validate(
    form: Form,
    raw: Mapping[str, Any],
    *,
    known: Known,
    today: dt.date,
    files: Mapping[str, int] | None = None,
    only: Collection[str] | None = None,
) -> Checked:
    """Read, link and check answers by key, as a page, a program or a spreadsheet sends them.

    Answers of items that do not appear are dropped without a word; keys that the form does not have are faults. ``files`` counts
    the files by certificate; without it papers are not judged. With ``only`` these items alone are judged, each by itself: what
    else was answered stands as it was taken.
    """
    values, wrong = _read_all(form, raw, known)
    linked = link(form, values, today)
    answers = {key: value for key, value in values.items() if key in linked.shown}
    faults: list[Fault] = []
    for item in form.items():
        if item.key not in linked.shown or (only is not None and item.key not in only):
            continue
        if isinstance(item, Paper):
            faults += _paper_faults(item, linked, files)
        elif item.key in wrong:
            faults += wrong[item.key]
        else:
            faults += _checked(item.field, answers.get(item.key), linked, form, known, today)
    stray = [key for key in raw if form.question(key) is None]
    faults += [Fault(key[:60], "unknown_field", "表单里没有这一项。") for key in stray[:MOST_UNKNOWN]]
    if not faults:
        faults += _cross_faults(form, answers, linked, today)
    return Checked(answers, tuple(faults), linked)


def _read_all(form: Form, raw: Mapping[str, Any], known: Known) -> tuple[dict[str, Any], dict[str, list[Fault]]]:
    values: dict[str, Any] = {}
    wrong: dict[str, list[Fault]] = {}
    for question in form.questions():
        given = raw.get(question.key)
        if is_blank(given):
            continue
        if question.field.kind == "group":
            rows, faults = _read_rows(question.field, given, known)
            if rows:
                values[question.key] = rows
            if faults:
                wrong[question.key] = faults
            continue
        try:
            value = read(question.field, given, known)
            if not is_blank(value):
                values[question.key] = value
        except Wrong as fault:
            wrong[question.key] = [Fault(question.key, fault.code, fault.sentence)]
    return values, wrong


def _read_rows(field: Field, given: object, known: Known) -> tuple[list[dict[str, Any]], list[Fault]]:
    if not isinstance(given, list | tuple) or not all(isinstance(row, dict) for row in given):
        return [], [Fault(field.key, "not_rows", "这一项要一行一行地填。")]
    if len(given) > MOST_ROWS:
        return [], [Fault(field.key, "too_long", f"最多 {MOST_ROWS} 行。")]
    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for raw in given:
        if all(is_blank(value) for value in raw.values()):
            continue
        row, wrong = _read_row(field, raw, len(rows), known)
        rows.append(row)
        faults += wrong
    return rows, faults


def _read_row(field: Field, raw: Mapping[str, Any], number: int, known: Known) -> tuple[dict[str, Any], list[Fault]]:
    row: dict[str, Any] = {}
    faults: list[Fault] = []
    names = {column.key for column in field.columns}
    for column in field.columns:
        if is_blank(raw.get(column.key)):
            continue
        try:
            row[column.key] = read(column, raw[column.key], known)
        except Wrong as fault:
            sentence = f"第 {number + 1} 行{column.label}：{fault.sentence}"
            faults.append(Fault(f"{field.key}.{number}.{column.key}", fault.code, sentence))
    faults += [
        Fault(f"{field.key}.{number}.{key}"[:100], "unknown_field", "表单里没有这一列。")
        for key in raw
        if key not in names
    ][:MOST_UNKNOWN]
    return row, faults


def _checked(field: Field, value: Any, linked: Linked, form: Form, known: Known, today: dt.date) -> list[Fault]:
    if value is None:
        return [Fault(field.key, "required", f"请填写“{field.label}”。")] if field.key in linked.required else []
    try:
        check_answer(field, value, linked.offered.get(field.key), today)
    except Wrong as wrong:
        return [Fault(field.key, wrong.code, wrong.sentence)]
    return _row_faults(field, value, form, today) if field.kind == "group" else []


def _row_faults(field: Field, rows: Sequence[Mapping[str, Any]], form: Form, today: dt.date) -> list[Fault]:
    faults = []
    for number, row in enumerate(rows):
        for column in field.columns:
            offered = None
            if column.dictionary:
                offered = [term.code for term in form.dictionary(column.dictionary).terms if term.active]
            value = row.get(column.key)
            where = f"{field.key}.{number}.{column.key}"
            if value is None:
                if column.checks.required:
                    faults.append(Fault(where, "required", f"第 {number + 1} 行：请填写“{column.label}”。"))
                continue
            try:
                check_answer(column, value, offered, today)
            except Wrong as wrong:
                faults.append(Fault(where, wrong.code, f"第 {number + 1} 行{column.label}：{wrong.sentence}"))
    return faults


def _paper_faults(paper: Paper, linked: Linked, files: Mapping[str, int] | None) -> list[Fault]:
    if files is None:
        return []
    count, asked = files.get(paper.key, 0), paper.certificate
    least = max(1, asked.least) if paper.key in linked.required else 0
    if count < least:
        return [Fault(paper.key, "paper_missing", f"请上传“{asked.name}”，至少 {least} 个文件。")]
    if count > asked.most:
        return [Fault(paper.key, "paper_many", f"“{asked.name}”最多 {asked.most} 个文件，请移除多余的。")]
    return []


def _cross_faults(form: Form, answers: Mapping[str, Any], linked: Linked, today: dt.date) -> list[Fault]:
    facts: dict[str, object] = {"today": today}
    for question in form.questions():
        facts |= facts_of(question.field, answers.get(question.key))
    kinds = kinds_of(form)
    faults = []
    for check in form.checks:
        expression = Expression.parse(check.expression, kinds)
        if not all(name in facts for name in expression.names):
            continue
        at = check.at if check.at in linked.shown else ""
        try:
            held = expression.holds(facts)
        except ExpressionFault:
            held = False
        if not held:
            faults.append(Fault(at, "cross_check", check.sentence))
    return faults
