"""A flow as a graph: nodes, arrows with conditions, and how tokens move through them. Pure.

It is what a diagram says once it has been read, and what the engine runs. Conditions are kept as text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from services.kernel.workflow.spec import RESULTS, Flow, Outcome, Parallel, Step

Kind = Literal["start", "end", "step", "choice", "parallel"]
MOST_NODES: Final = 200


@dataclass(frozen=True, slots=True)
class Node:
    """One node: a step with its declaration, a gateway with its ``default`` arrow, or an end with its result."""

    id: str
    kind: Kind
    name: str = ""
    step: Step | None = None
    result: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow from one node to another; ``condition`` is an expression, "" for none."""

    id: str
    source: str
    target: str
    condition: str = ""
    name: str = ""


@dataclass(frozen=True)
class FlowGraph:
    """The nodes and arrows of one flow."""

    nodes: Mapping[str, Node]
    arrows: tuple[Arrow, ...]

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Arrow, ...]]:
        """Return the arrows that leave each node, in their order."""
        return _by(self.arrows, "source")

    @cached_property
    def entering(self) -> Mapping[str, tuple[Arrow, ...]]:
        """Return the arrows that enter each node."""
        return _by(self.arrows, "target")

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by key, in the order they are reached from the start."""
        found: dict[str, Step] = {}
        for node in self.in_order():
            if node.step is not None:
                found[node.id] = node.step
        return found

    def in_order(self) -> list[Node]:
        """Return the nodes, those nearer to the start first, unreachable ones last."""
        waiting = [node.id for node in self.nodes.values() if node.kind == "start"]
        seen = dict.fromkeys(waiting)
        for at in waiting:
            for arrow in self.leaving.get(at, ()):
                if arrow.target in self.nodes and arrow.target not in seen:
                    seen[arrow.target] = None
                    waiting.append(arrow.target)
        return [self.nodes[key] for key in (*seen, *(key for key in self.nodes if key not in seen))]


def _by(arrows: Iterable[Arrow], end: Literal["source", "target"]) -> dict[str, tuple[Arrow, ...]]:
    found: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        found[getattr(arrow, end)].append(arrow)
    return {key: tuple(values) for key, values in found.items()}


@dataclass
class _Builder:
    guarded: frozenset[str]
    """The steps that are entered through a condition."""
    nodes: dict[str, Node] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)

    def node(self, node: Node) -> str:
        if self.nodes.setdefault(node.id, node) is not node:
            raise ValueError(f"two nodes are called {node.id}")
        return node.id

    def arrow(self, source: str, target: str, condition: str = "", name: str = "") -> str:
        made = Arrow(f"flow_{len(self.arrows) + 1}", source, target, condition, name)
        self.arrows.append(made)
        return made.id

    def default(self, gateway: str, arrow: str) -> None:
        before = self.nodes[gateway]
        self.nodes[gateway] = Node(before.id, before.kind, before.name, default=arrow)


def graph_of(flow: Flow) -> FlowGraph:
    """Return declared steps as a graph: a gateway before each step with a condition and behind each with several ways."""
    build = _Builder(frozenset(step.key for step in flow.steps() if step.when))
    build.node(Node("start", "start", "开始"))
    build.node(Node("end_approved", "end", "办结（通过）", result="approved"))
    if any(outcome.to == "refused" for step in flow.steps() for outcome in step.outcomes):
        build.node(Node("end_refused", "end", "办结（不通过）", result="refused"))
    entries = [_entry(part) for part in flow.parts]
    for at, (before, part) in enumerate(zip(flow.parts, flow.parts[1:], strict=False), start=1):
        if isinstance(part, Parallel) and isinstance(before, Step) and before.when:
            entries[at] = _merge(build, f"{part.key}_in", entries[at])
    build.arrow("start", entries[0])
    for at, part in enumerate(flow.parts):
        behind = entries[at + 1] if at + 1 < len(entries) else "end_approved"
        if isinstance(part, Step):
            _add_step(build, part, behind)
        else:
            _add_parallel(build, part, behind)
    return FlowGraph(build.nodes, tuple(build.arrows))


def _entry(part: Step | Parallel) -> str:
    """Return the node by which a part is entered."""
    if isinstance(part, Parallel):
        return f"{part.key}_split"
    return f"{part.key}_if" if part.when else part.key


def _merge(build: _Builder, key: str, behind: str) -> str:
    """Bring ways together before a parallel gateway, which would otherwise wait for each of them."""
    gate = build.node(Node(key, "choice"))
    build.default(gate, build.arrow(gate, behind))
    return gate


def _add_step(build: _Builder, step: Step, behind: str) -> None:
    build.node(Node(step.key, "step", step.name, step=step))
    _add_condition(build, step, behind)
    ways = _ways([step], behind, build)
    _leave(build, step.key, ways, behind)


def _add_condition(build: _Builder, step: Step, behind: str) -> None:
    if step.when:
        gate = build.node(Node(f"{step.key}_if", "choice", f"要{step.name}？"))
        build.arrow(gate, step.key, step.when)
        build.default(gate, build.arrow(gate, behind, name="不需要"))


def _ways(steps: Iterable[Step], behind: str, build: _Builder) -> list[tuple[str, str, str]]:
    """Return where outcomes lead other than to what is behind: condition, target, name."""
    return [
        (f'{step.key} == "{outcome.key}"', _target(build, outcome), outcome.label)
        for step in steps
        for outcome in reversed(step.outcomes)
        if outcome.to and _target(build, outcome) != behind
    ]


def _target(build: _Builder, outcome: Outcome) -> str:
    if outcome.to in RESULTS:
        return f"end_{outcome.to}"
    return f"{outcome.to}_if" if outcome.to in build.guarded else outcome.to


def _leave(build: _Builder, source: str, ways: list[tuple[str, str, str]], behind: str) -> None:
    if not ways:
        build.arrow(source, behind)
        return
    gate = build.node(Node(f"{source}_done", "choice", "结果"))
    build.arrow(source, gate)
    for condition, target, name in ways:
        build.arrow(gate, target, condition, name)
    build.default(gate, build.arrow(gate, behind))


def _add_parallel(build: _Builder, part: Parallel, behind: str) -> None:
    split, join = build.node(Node(f"{part.key}_split", "parallel")), build.node(Node(f"{part.key}_join", "parallel"))
    for branch in part.branches:
        entries = [_entry(step) for step in branch]
        build.arrow(split, entries[0])
        last = _merge(build, f"{branch[-1].key}_out", join) if branch[-1].when else join
        for step, after in zip(branch, [*entries[1:], last], strict=True):
            build.node(Node(step.key, "step", step.name, step=step))
            _add_condition(build, step, after)
            build.arrow(step.key, after)
    ways = _ways([step for branch in part.branches for step in branch], behind, build)
    _leave(build, join, ways, behind)
