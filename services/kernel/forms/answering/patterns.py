"""Patterns written by staff, matched by an engine whose time grows with the text only: no look-around, no back-references.
Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import jsonschema_rs

from geo.errors import BadInput

LONGEST: Final = 200
_SIZE: Final = 200_000
"""Bytes a compiled pattern may take: repetitions of repetitions are refused, not run."""


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"type": "string", "pattern": f"^(?:{pattern})$"}
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions(size_limit=_SIZE))


def check_pattern(pattern: str) -> None:
    """Raise ``BadInput`` for a pattern that is too long, too large, or beyond what the linear engine knows."""
    if len(pattern) > LONGEST:
        raise BadInput("pattern_long", f"格式规则最多 {LONGEST} 个字。")
    try:
        jsonschema_rs.Draft202012Validator(
            {"type": "string", "pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions(size_limit=_SIZE)
        )
        _compiled(pattern)
    except ValueError:
        raise BadInput(
            "pattern_invalid", "格式规则写得不对，或用了不支持的写法（前后查找、反向引用、过大的重复）。"
        ) from None


def matches(pattern: str, text: str) -> bool:
    """Say whether a checked pattern matches the whole of a text."""
    return bool(_compiled(pattern).is_valid(text))
