"""A condition as a request gives it: text or JSON, in the language it names."""

from __future__ import annotations

from typing import Final

import orjson

from layers.filtering.compiling import narrowing_of
from layers.filtering.crs import FilterCrs
from layers.filtering.faults import BadFilter
from layers.filtering.text import MOST_CHARACTERS, Node, parse_text
from layers.reading import Narrowing
from layers.spec import LayerSpec

LANGUAGES: Final = ("cql2-text", "cql2-json")


def read_filter(layer: LayerSpec, text: str, *, language: str = "cql2-text", crs: FilterCrs | None = None) -> Narrowing:
    """Return the condition on a layer's rows that a text in a language of ``LANGUAGES`` says. Raises ``BadFilter``."""
    if language not in LANGUAGES:
        raise BadFilter(
            "filter_language", "筛选语言（filter-lang）可用 cql2-text 和 cql2-json。", known=list(LANGUAGES)
        )
    return narrowing_of(layer, parse_text(text) if language == "cql2-text" else _parse_json(text), crs)


def _parse_json(text: str) -> Node:
    if len(text) > MOST_CHARACTERS:
        raise BadFilter("filter_long", f"筛选条件最多 {MOST_CHARACTERS} 个字符，请简化。", most=MOST_CHARACTERS)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadFilter("filter_json", "筛选条件不是有效的 JSON，请核对是否写完整。") from None
