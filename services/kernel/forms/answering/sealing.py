"""Answers parted into what is kept in plain and what is sealed, and brought together again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.kernel.forms.spec import Field, Form


def part_answers(form: Form, answers: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (plain answers, sealed answers by path). A path is the key of a field, or ``group.row.column``."""
    plain: dict[str, Any] = {}
    sealed: dict[str, str] = {}
    for key, value in answers.items():
        question = form.question(key)
        if question is None:
            continue
        if question.field.kind == "group" and isinstance(value, list):
            plain[key] = [_part_row(question.field, number, row, sealed) for number, row in enumerate(value)]
        elif question.field.sensitive:
            if value not in (None, ""):
                sealed[key] = str(value)
        else:
            plain[key] = value
    return plain, sealed


def join_answers(form: Form, plain: Mapping[str, Any], sealed: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers that were parted."""
    answers: dict[str, Any] = {
        key: [dict(row) for row in value] if _is_rows(value) else value for key, value in plain.items()
    }
    for path, value in sealed.items():
        key, _, rest = path.partition(".")
        if form.question(key) is None:
            continue
        if not rest:
            answers[key] = value
            continue
        number, _, column = rest.partition(".")
        rows = answers.get(key)
        if isinstance(rows, list) and number.isdecimal() and int(number) < len(rows):
            rows[int(number)][column] = value
    return answers


def sealed_paths(form: Form) -> Iterator[tuple[str, Field]]:
    """Yield the sensitive fields of a form by key, columns as ``group.column``."""
    for question in form.questions():
        if question.field.sensitive:
            yield question.key, question.field
        for column in question.field.columns:
            if column.sensitive:
                yield f"{question.key}.{column.key}", column


def _part_row(field: Field, number: int, row: Mapping[str, Any], sealed: dict[str, str]) -> dict[str, Any]:
    secret = {column.key for column in field.columns if column.sensitive}
    for key in secret & row.keys():
        if row[key] not in (None, ""):
            sealed[f"{field.key}.{number}.{key}"] = str(row[key])
    return {key: value for key, value in row.items() if key not in secret}


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)
