"""The engine: a flow is run over what has been decided so far, and says which steps wait now. SpiffWorkflow moves the tokens.

What a case keeps is not the engine's own state but what people decided, in order, with the facts they decided on. It is played
again for each act: so a step can be taken back exactly, a case moved to another version of its flow, and nothing depends on how a
library writes itself down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from geo.errors import CityError
from services.kernel.expressions import Expression, Kind
from services.kernel.workflow.diagrams.checking import checked, names_of
from services.kernel.workflow.diagrams.drawing import draw
from services.kernel.workflow.diagrams.graph import FlowGraph
from services.kernel.workflow.spec import Step

MOST_PASSES: Final = 100
"""How often people may decide in one case: a circle that is walked more often than this is a mistake."""


class FlowFault(CityError):
    """A flow that cannot be run any further: a diagram that was never checked, or a circle walked too often."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decided step: which, how, and the facts that conditions behind it read."""

    step: str
    outcome: str
    facts: Mapping[str, Any]

    def written(self) -> dict[str, Any]:
        """Return it as it is kept in a case."""
        return {"step": self.step, "outcome": self.outcome, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands: the steps that wait, or the result it ended with; and which of the decisions took effect."""

    waiting: tuple[str, ...]
    result: str
    kept: tuple[bool, ...]


@dataclass(frozen=True)
class Runnable:
    """A flow that can be run: its graph, what the engine made of it, and its conditions, parsed."""

    graph: FlowGraph
    made: Any
    conditions: Mapping[str, Expression]
    reads: frozenset[str]
    """The facts that its conditions read."""

    def step(self, key: str) -> Step:
        """Return a step by its key. Raises ``KeyError``."""
        return self.graph.steps[key]


@lru_cache(maxsize=256)
def runnable(xml: str, facts: frozenset[tuple[str, Kind]]) -> Runnable:
    """Return a checked diagram ready to run, kept by its text. Raises ``FlowFault`` for one that the checker refuses."""
    reading = checked(xml, facts=dict(facts))
    if reading.graph is None or reading.findings:
        raise FlowFault("flow_refused", reading.findings[0].message if reading.findings else "流程图读不出来。")
    graph = reading.graph
    names = names_of(graph, dict(facts))
    conditions = {
        arrow.condition: Expression.parse(arrow.condition, names) for arrow in graph.arrows if arrow.condition
    }
    reads = frozenset[str]().union(*(each.names for each in conditions.values())) - graph.steps.keys()
    return Runnable(graph, _made(graph), conditions, reads)


def _made(graph: FlowGraph) -> Any:
    """Return SpiffWorkflow's specification of a graph, read from our own drawing of it and never from an uploaded file."""
    from SpiffWorkflow.bpmn.parser import BpmnParser

    parser = BpmnParser()
    parser.add_bpmn_str(draw(graph).encode())
    return parser.get_spec("flow")


class _Conditions:
    """What stands in for the library's script engine, which would run Python: our own expressions, and nothing else."""

    def __init__(self, flow: Runnable, facts: Mapping[str, Any]) -> None:
        self.flow = flow
        self.facts = dict(facts)
        self.outcomes: dict[str, Any] = dict.fromkeys(flow.graph.steps)

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> bool:
        return self.flow.conditions[expression].holds({**self.facts, **self.outcomes})

    def execute(self, task: Any, script: str, external_context: Any = None) -> bool:
        raise FlowFault("flow_script", "流程图里不能有脚本。")

    def call_service(self, task: Any, **_: Any) -> None:
        raise FlowFault("flow_script", "流程图里不能调用服务。")


def stand(flow: Runnable, decisions: Sequence[Decision], facts: Mapping[str, Any]) -> Standing:
    """Play decisions over a flow from its start, with the ``facts`` it began with, and return where it stands.

    A decision about a step that does not wait when its turn comes takes no effect (``kept``). Raises ``FlowFault``.
    """
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.util.task import TaskState

    if len(decisions) > MOST_PASSES:
        raise FlowFault("flow_passes", f"这个办件来回办理超过 {MOST_PASSES} 次，请终止后重新办理。")
    conditions = _Conditions(flow, facts)
    run = BpmnWorkflow(flow.made, script_engine=conditions)
    run.do_engine_steps()
    kept = []
    for decision in decisions:
        task = next(
            (each for each in run.get_tasks(state=TaskState.READY, spec_name=decision.step) if each.task_spec.manual),
            None,
        )
        kept.append(task is not None and _allows(flow, decision))
        if task is None or not kept[-1]:
            continue
        conditions.outcomes[decision.step] = decision.outcome
        conditions.facts.update(decision.facts)
        task.run()
        run.do_engine_steps()
    waiting = tuple(task.task_spec.name for task in run.get_tasks(state=TaskState.READY, manual=True))
    return Standing(waiting, "" if waiting else _result(flow, run), tuple(kept))


def _allows(flow: Runnable, decision: Decision) -> bool:
    return flow.step(decision.step).outcome(decision.outcome) is not None


def _result(flow: Runnable, run: Any) -> str:
    from SpiffWorkflow.util.task import TaskState

    reached = [
        node.result
        for node in flow.graph.nodes.values()
        if node.kind == "end" and run.get_tasks(state=TaskState.COMPLETED, spec_name=node.id)
    ]
    if len(reached) != 1 or not run.completed:
        raise FlowFault("flow_stuck", "这个办件的流程走不下去，请联系管理员检查流程图。")
    return reached[0]


def taken_back(decisions: Sequence[Decision], step: str) -> list[Decision]:
    """Return the decisions without the last one about a step; played again, what followed from it takes no effect."""
    last = max(at for at, each in enumerate(decisions) if each.step == step)
    return [each for at, each in enumerate(decisions) if at != last]
