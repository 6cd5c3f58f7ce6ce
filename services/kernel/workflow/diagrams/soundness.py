"""Whether a graph can always come to its end: tokens are moved in every possible way, and what goes wrong is named. Pure.

A graph is sound when no step can be open twice at once, nothing waits for what cannot come, an end is reached last of all, and
from wherever a case may stand there is a way to an end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.kernel.workflow.diagrams.graph import FlowGraph, Node

MOST_MARKINGS: Final = 20_000

Marking = frozenset[str]
"""The arrows on which a token stands."""


@dataclass(frozen=True, slots=True)
class Unsound:
    """What is wrong and at which node; ``code`` is doubled, stuck, left_over, no_way_out or too_many."""

    code: str
    node: str


def unsound(graph: FlowGraph) -> list[Unsound]:
    """Return what is wrong with the moves of tokens, each fault of a node once."""
    starts = [node for node in graph.nodes.values() if node.kind == "start"]
    begin = frozenset(arrow.id for node in starts for arrow in graph.leaving.get(node.id, ()))
    faults: dict[Unsound, None] = {}
    seen: dict[Marking, None] = {begin: None}
    before: dict[Marking, list[Marking]] = defaultdict(list)
    waiting = [begin]
    for marking in waiting:
        moves = list(_moves(graph, marking, faults))
        if not moves and marking:
            faults.update(dict.fromkeys(Unsound("stuck", node) for node in _stands_at(graph, marking)))
        for after in moves:
            before[after].append(marking)
            if after not in seen:
                if len(seen) >= MOST_MARKINGS:
                    return [Unsound("too_many", "")]
                seen[after] = None
                waiting.append(after)
    ends = _leading_to(frozenset(), before)
    for marking in seen:
        if marking not in ends and not faults:
            faults.update(dict.fromkeys(Unsound("no_way_out", node) for node in _stands_at(graph, marking)))
    return list(faults)


def _moves(graph: FlowGraph, marking: Marking, faults: dict[Unsound, None]) -> Iterator[Marking]:
    for node in graph.nodes.values():
        entering = [arrow.id for arrow in graph.entering.get(node.id, ()) if arrow.id in marking]
        if not entering:
            continue
        if node.kind == "parallel":
            if len(entering) == len(graph.entering[node.id]):
                yield from _fired(graph, node, marking - set(entering), faults)
            continue
        if len(entering) > 1:
            faults[Unsound("doubled", node.id)] = None
        for arrow in entering:
            yield from _fired(graph, node, marking - {arrow}, faults)


def _fired(graph: FlowGraph, node: Node, rest: Marking, faults: dict[Unsound, None]) -> Iterator[Marking]:
    leaving = [arrow.id for arrow in graph.leaving.get(node.id, ())]
    if node.kind == "end":
        if rest:
            faults[Unsound("left_over", node.id)] = None
        yield rest
        return
    for produced in [{arrow} for arrow in leaving] if node.kind == "choice" else [set(leaving)]:
        if rest & produced:
            faults[Unsound("doubled", node.id)] = None
            continue
        yield rest | produced


def _stands_at(graph: FlowGraph, marking: Marking) -> list[str]:
    return list(dict.fromkeys(arrow.target for arrow in graph.arrows if arrow.id in marking))


def _leading_to(end: Marking, before: dict[Marking, list[Marking]]) -> set[Marking]:
    found, waiting = {end}, [end]
    for marking in waiting:
        for each in before.get(marking, ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
