"""Cases that somebody pastes from a spreadsheet to try a table on: a head row of facts, one case a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geo.errors import BadInput
from services.kernel.rules.deciding.cells import MISSING, CellFault, read_value
from services.kernel.rules.deciding.tables import asked_of, plain_value
from services.kernel.rules.spec import RuleSetSpec

MOST_CASES: Final = 2_000


def facts_typed(typed: Mapping[str, str], spec: RuleSetSpec) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the facts that somebody typed, and for each that cannot be meant a Chinese sentence."""
    facts: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for fact in spec.inputs:
        text = typed.get(fact.key, "").strip()
        if not text or text in MISSING:
            continue
        try:
            several = text.replace("，", ",").replace("、", ",").split(",") if fact.kind == "texts" else []
            asked = asked_of(fact)
            value = (
                [read_value(part, asked) for part in several if part.strip()] if several else read_value(text, asked)
            )
            facts[fact.key] = value if isinstance(value, list) else plain_value(value)
        except CellFault as fault:
            faults[fact.key] = fault.message
    return facts, faults


def cases_of(text: str, spec: RuleSetSpec) -> list[dict[str, Any]]:
    """Return the cases in a text pasted from a spreadsheet: columns by tabs, the first line names the facts.

    Raises ``BadInput`` naming the line and column that cannot be read.
    """
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if len(lines) < 2:
        raise BadInput("cases_missing", "请连同表头一起粘贴：第一行是事实名称，下面每行一种情况。")
    if len(lines) - 1 > MOST_CASES:
        raise BadInput("cases_too_many", f"一次最多试算 {MOST_CASES:,} 种情况，这里有 {len(lines) - 1:,} 种。")
    called = {fact.label: fact.key for fact in spec.inputs} | {fact.key: fact.key for fact in spec.inputs}
    heads = [head.strip() for head in lines[0].split("\t")]
    unknown = [head for head in heads if head not in called]
    if unknown:
        known = "、".join(fact.label for fact in spec.inputs)
        raise BadInput("cases_head", f"表头“{unknown[0][:40]}”不是这个规则集的事实，可用：{known}。")
    cases = []
    for number, line in enumerate(lines[1:], 2):
        typed = dict(zip((called[head] for head in heads), line.split("\t"), strict=False))
        facts, faults = facts_typed(typed, spec)
        if faults:
            raise BadInput("cases_cell", f"第 {number} 行：{next(iter(faults.values()))}")
        cases.append(facts)
    return cases
