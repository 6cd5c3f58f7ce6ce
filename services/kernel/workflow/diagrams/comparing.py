"""Two versions of a flow side by side: steps that came, went or changed, and ways that lead elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.kernel.workflow.diagrams.graph import FlowGraph
from services.kernel.workflow.spec import DISPATCHES, LEVELS, MODES, NOTICES, SCREENS, Step

Fate = Literal["same", "added", "removed", "changed"]
FATES: Final[Mapping[Fate, str]] = {"same": "没有变", "added": "新增", "removed": "删除", "changed": "有改动"}


@dataclass(frozen=True, slots=True)
class Change:
    """One property of a step in both versions, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A step as it stands in both versions."""

    key: str
    name: str
    fate: Fate
    changes: tuple[Change, ...] = ()


def compared(before: FlowGraph, after: FlowGraph) -> list[Pair]:
    """Return the steps of both versions: those of the newer in its order, then those that went."""
    pairs = []
    for key, step in after.steps.items():
        old = before.steps.get(key)
        if old is None:
            pairs.append(Pair(key, step.name, "added"))
            continue
        was, now = facts_of(before, old), facts_of(after, step)
        changes = tuple(Change(label, was[label], now[label]) for label in now if was[label] != now[label])
        pairs.append(Pair(key, step.name, "changed" if changes else "same", changes))
    pairs += [Pair(key, step.name, "removed") for key, step in before.steps.items() if key not in after.steps]
    return pairs


def facts_of(graph: FlowGraph, step: Step) -> dict[str, str]:
    """Return what a step says, in words by label, with where it leads."""
    return {
        "名称": step.name,
        "职责": step.duty,
        "层级": LEVELS[step.level],
        "办理方式": MODES[step.mode],
        "时限": f"{step.days} 个工作日" if step.days else "不限时",
        "提醒": f"提前 {step.remind} 个工作日",
        "派单": DISPATCHES[step.dispatch],
        "办理结果": "、".join(each.label for each in step.outcomes),
        "界面": "、".join(SCREENS[each] for each in step.screens),
        "通知": "、".join(NOTICES[each] for each in step.notices),
        "去向": "；".join(_ways(graph, step.key, "", frozenset())),
    }


def _ways(graph: FlowGraph, node: str, said: str, passed: frozenset[str]) -> list[str]:
    """Return to which steps or ends one comes from a node, with the conditions on the way."""
    found = []
    for arrow in graph.leaving.get(node, ()):
        target = graph.nodes[arrow.target]
        condition = " 且 ".join(each for each in (said, arrow.condition) if each)
        if target.kind in ("step", "end"):
            name = target.name or target.id
            found.append(f"{condition} → {name}" if condition else name)
        elif target.id not in passed:
            found += _ways(graph, target.id, condition, passed | {target.id})
    return sorted(found)
