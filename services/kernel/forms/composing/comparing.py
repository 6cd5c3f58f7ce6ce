"""Two versions of a form side by side: what was added, taken out, moved or changed, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Literal

from services.kernel.forms.answering.conditions import words_of
from services.kernel.forms.answering.linking import choices_of, kinds_of, labels_of
from services.kernel.forms.composing.snapshots import snapshot_of
from services.kernel.forms.spec import Form, Item, Paper, Question

Sort = Literal["same", "added", "removed", "changed"]
_WORDS: Final = {
    "label": "名称",
    "name": "名称",
    "help": "说明",
    "description": "说明",
    "checks": "检验规则",
    "least": "至少",
    "most": "最多",
    "types": "格式",
    "most_bytes": "单个文件上限",
    "shown": "显示条件",
    "required": "必填条件",
    "codes": "可选项",
    "offers": "选项联动",
    "fixed": "全市必采",
    "dictionary": "码表",
    "sensitive": "加密",
    "kind": "类型",
    "columns": "列",
    "unit": "单位",
    "version": "版本",
    "valid_months": "有效月数",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the comparison: the item on both sides, '' where it is not there, and what differs in words."""

    sort: Sort
    left: str
    right: str
    changes: tuple[str, ...] = ()


def compare(left: Form, right: Form) -> list[Line]:
    """Return two forms side by side in the order of the newer one (right), items that were taken out beside their old place."""
    before, after = _items(left), _items(right)
    lines = [_line(before.get(key), after[key], left, right) for key in after]
    for number, key in enumerate(before):
        if key not in after:
            lines.insert(min(number, len(lines)), Line("removed", _said(*before[key]), ""))
    old, new = ([check.sentence for check in form.checks] for form in (left, right))
    for one, other in zip_longest(old, new, fillvalue=""):
        if one != other:
            lines.append(Line("changed", one, other, ("校验",)))
    return lines


def _items(form: Form) -> dict[str, tuple[str, Item]]:
    return {item.key: (section.title, item) for section in form.sections for item in section.items}


def _line(before: tuple[str, Item] | None, after: tuple[str, Item], left: Form, right: Form) -> Line:
    if before is None:
        return Line("added", "", _said(*after))
    changes = list(_differences(before[1], after[1], left, right))
    if before[0] != after[0]:
        changes.append(f"移到“{after[0]}”")
    return Line("changed" if changes else "same", _said(*before), _said(*after), tuple(changes))


def _said(section: str, item: Item) -> str:
    label = item.field.label if isinstance(item, Question) else item.certificate.name
    return f"{section} · {label}"


def _differences(one: Item, other: Item, left: Form, right: Form) -> list[str]:
    before, after = _facts(one, left), _facts(other, right)
    return [
        f"{_WORDS.get(name, name)}：{_value(before.get(name))} → {_value(after.get(name))}"
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name) and name not in ("changes", "group", "matters")
    ]


def _facts(item: Item, form: Form) -> dict[str, Any]:
    facts: dict[str, Any] = dict(snapshot_of(item.certificate if isinstance(item, Paper) else item.field))
    facts["fixed"] = item.fixed
    kinds, labels = kinds_of(form), labels_of(form)
    for name in ("shown", "required"):
        when = getattr(item, name)
        facts[name] = words_of(when, kinds, labels, choices_of(form)) if when is not None else ""
    if isinstance(item, Question):
        facts["codes"] = [form.dictionary(item.field.dictionary).label(code) for code in item.codes]
        facts["offers"] = len(item.offers)
    return facts


def _value(value: Any) -> str:
    if value in (None, "", [], {}, False):
        return "无"
    if value is True:
        return "是"
    if isinstance(value, dict):
        return "，".join(f"{_CHECKS.get(name, name)} {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "、".join(str(each.get("label", "")) if isinstance(each, dict) else str(each) for each in value)
    return str(value)


_CHECKS: Final = {
    "required": "必填",
    "shortest": "至少",
    "longest": "最多",
    "least": "不小于",
    "most": "不大于",
    "earliest": "不早于",
    "latest": "不晚于",
    "pattern": "格式",
    "pattern_says": "提示",
}
