"""Marks that say where the next page of an ordered list begins: opaque to callers, never a count of rows to skip."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from geo.errors import BadInput


def write_cursor(order: str, values: Sequence[Any]) -> str:
    """Return the mark after a row with these values of the ordering columns."""
    body = json.dumps([order, *values], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_cursor(cursor: str, order: str, types: Sequence[type]) -> list[Any]:
    """Return the values behind a mark. Raises ``BadInput`` when it was not written for this order."""
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        if body[0] != order or len(body) != len(types) + 1:
            raise ValueError("a cursor of another list")
        if not all(_is(value, kind) for value, kind in zip(body[1:], types, strict=True)):
            raise ValueError("values of other types")
    except (ValueError, binascii.Error, KeyError, IndexError, TypeError, RecursionError):
        raise BadInput("cursor_invalid", "翻页标记无效，请去掉 cursor 从第一页重新查询。", parameter="cursor") from None
    return list(body[1:])


def _is(value: Any, kind: type) -> bool:
    """Say whether a value could stand in a column: of the type, and within what the database can hold."""
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    if kind is str:
        return isinstance(value, str) and value.isprintable()
    return type(value) is float and math.isfinite(value)


def after(columns: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition that a row comes after ``values`` in ascending order of ``columns``."""
    condition = Q()
    equal = Q()
    for column, value in zip(columns, values, strict=True):
        condition |= equal & Q(**{f"{column}__gt": value})
        equal &= Q(**{column: value})
    return condition
