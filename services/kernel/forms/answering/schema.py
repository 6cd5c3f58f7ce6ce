"""The JSON schema (2020-12) of a form's answers in their kept forms, for programs that hand in. Pure.

It describes shapes: which keys, which types, which codes and bounds. What depends on other answers stays with ``validate``.
"""

from __future__ import annotations

from typing import Any, Final

from services.kernel.forms.answering.reading import LONGEST, MOST_CHOSEN, MOST_ROWS
from services.kernel.forms.spec import Field, Form

_TEXTS: Final = {"text", "long_text", "name", "address"}
_PATTERNS: Final = {
    "day": r"^\d{4}-\d{2}-\d{2}$",
    "month": r"^\d{4}-(0[1-9]|1[0-2])$",
    "phone": r"^1[3-9]\d{9}$",
    "identity": r"^[1-9]\d{16}[0-9X]$",
    "region": r"^\d{6,12}$",
}


def schema_of(form: Form) -> dict[str, Any]:
    """Return the JSON schema of a form's answers."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": form.title,
        "type": "object",
        "additionalProperties": False,
        "properties": {
            question.key: schema_of_field(question.field, form, question.codes) for question in form.questions()
        },
        "required": [
            question.key for question in form.questions() if question.field.checks.required and question.shown is None
        ],
    }


def schema_of_field(field: Field, form: Form, codes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the JSON schema of one answer."""
    described: dict[str, Any] = {"title": field.label}
    if field.help:
        described["description"] = field.help
    return described | _shape(field, form, codes)


def _shape(field: Field, form: Form, codes: tuple[str, ...]) -> dict[str, Any]:
    checks = field.checks
    if field.kind in _TEXTS:
        shape: dict[str, Any] = {"type": "string", "minLength": max(1, checks.shortest or 0)}
        return shape | {"maxLength": min(LONGEST[field.kind], checks.longest or LONGEST[field.kind])}
    if field.kind in ("choice", "choices"):
        terms = [term.code for term in form.dictionary(field.dictionary).terms if term.active]
        one = {"type": "string", "enum": [code for code in terms if not codes or code in codes]}
        if field.kind == "choice":
            return one
        most = min(MOST_CHOSEN, checks.longest or MOST_CHOSEN)
        return {
            "type": "array",
            "items": one,
            "uniqueItems": True,
            "minItems": max(1, checks.shortest or 0),
            "maxItems": most,
        }
    if field.kind == "group":
        return _rows(field, form)
    return _number(field) or {"type": "string", "pattern": _PATTERNS[field.kind]}


def _number(field: Field) -> dict[str, Any]:
    if field.kind == "yes_no":
        return {"type": "boolean"}
    if field.kind == "place":
        return {"type": "integer", "minimum": 1}
    if field.kind == "integer":
        bounds = {"minimum": field.checks.least, "maximum": field.checks.most}
        return {"type": "integer"} | {name: int(value) for name, value in bounds.items() if value is not None}
    if field.kind == "decimal":
        places = rf"(\.\d{{1,{field.places}}})?" if field.places else ""
        return {"type": "string", "pattern": rf"^-?\d{{1,15}}{places}$"}
    return {}


def _rows(field: Field, form: Form) -> dict[str, Any]:
    row = {
        "type": "object",
        "additionalProperties": False,
        "properties": {column.key: schema_of_field(column, form) for column in field.columns},
        "required": [column.key for column in field.columns if column.checks.required],
    }
    most = min(MOST_ROWS, field.checks.longest or MOST_ROWS)
    return {"type": "array", "items": row, "minItems": max(1, field.checks.shortest or 0), "maxItems": most}
