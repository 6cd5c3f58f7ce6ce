"""Template tags of the pages of rules: a change of a table in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def rule_change(change: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return one kept change in Chinese; the row is counted as it stood after the change."""
    column = labels.get(change["column"], "备注" if change["column"] == "note" else change["column"])
    row = f"第 {change['row']} 行"
    match change["what"]:
        case "added":
            return f"新增{row}"
        case "removed":
            return f"删去原来的{row}"
        case "moved":
            return f"第 {change['before']} 行移到{row}"
        case "column_added":
            return f"新增“{column}”列"
        case "column_removed":
            return f"删去“{column}”列"
    return f"{row}“{column}”：{change['before'] or '（空）'} → {change['after'] or '（空）'}"
