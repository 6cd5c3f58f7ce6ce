"""Answers said again, for screens, PDFs and exports: labels for codes, masks for what is sensitive. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from services.crypto.masking import STAR, mask_identity, mask_name, mask_phone
from services.kernel.forms.answering.known import Known
from services.kernel.forms.spec import Dictionary, Field, Form

BLANK: Final = "—"
_MASKS: Final[dict[str, Callable[[str], str]]] = {"phone": mask_phone, "identity": mask_identity, "name": mask_name}


def said(field: Field, value: Any, form: Form, known: Known) -> str:
    """Return an answer in its kept form as people read it; of a group, one line for each row."""
    if value in (None, "", []):
        return BLANK
    if field.kind == "group":
        return "\n".join(_row(field, row, form, known) for row in value)
    if field.kind in ("choice", "choices"):
        return _labels(form.dictionary(field.dictionary), value)
    if field.kind == "region":
        return known.region(value, field.level) or str(value)
    if field.kind == "place":
        return known.place(value, field.facility_kind) or str(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value}{field.unit}"


def masked(field: Field, value: Any) -> Any:
    """Return what of a sensitive answer may be shown to those who need to recognise it only."""
    if not field.sensitive and field.kind != "group":
        return value
    if value in (None, "", []):
        return value
    if field.kind == "group":
        return [{column.key: masked(column, row.get(column.key)) for column in field.columns} for row in value]
    mask = _MASKS.get(field.kind)
    return mask(value) if mask else STAR * 4


def _row(field: Field, row: dict[str, Any], form: Form, known: Known) -> str:
    return "；".join(f"{column.label}：{said(column, row.get(column.key), form, known)}" for column in field.columns)


def _labels(dictionary: Dictionary, value: Any) -> str:
    return "、".join(dictionary.label(code) for code in (value if isinstance(value, list) else [value]))
