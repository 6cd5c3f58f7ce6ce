"""Changes as people read them: columns by their names, values by their words, numbers of people masked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from django.apps import apps

from services.crypto.masking import mask_text
from services.kernel.logs.registry import tracked_named

BLANK: Final = "（空）"


def label_of(kind: str, column: str) -> str:
    """Return what a column of a kind of objects is called, the column itself where it is not declared."""
    table = tracked_named(kind)
    return table.fields.get(column, column) if table else column


def worded(kind: str, column: str, value: Any) -> str:
    """Return a value of a column of a kind of objects as people read it: one of a list of choices by its words."""
    if isinstance(value, str | int) and not isinstance(value, bool) and str(value) in (words := _words(kind, column)):
        return words[str(value)]
    return shown(value)


def shown(value: Any) -> str:
    """Return any value as people read it: numbers of people masked, cut where it is long."""
    if value is None or value == "":
        return BLANK
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        text = "、".join(map(str, value))
    elif isinstance(value, Mapping):
        text = "；".join(f"{key}：{shown(each)}" for key, each in value.items())
    else:
        text = str(value)
    text = mask_text(text if len(text) <= 300 else text[:299] + "…")
    return text or BLANK


@cache
def _words(kind: str, column: str) -> Mapping[str, str]:
    """Return the words of a column's values: those that are declared, else those of the model's choices."""
    table = tracked_named(kind)
    if table is None or column not in table.fields:
        return {}
    choices = apps.get_model(table.model)._meta.get_field(column).flatchoices
    return table.values.get(column) or {str(key): str(word) for key, word in choices if key is not None}
