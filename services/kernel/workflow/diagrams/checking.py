"""The one judge of diagrams: what the engine cannot run, or a case could not come out of, is refused in Chinese. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from services.kernel.expressions import Expression, ExpressionFault, Kind
from services.kernel.workflow.diagrams.graph import FlowGraph, Node
from services.kernel.workflow.diagrams.reading import Finding, Reading, read_diagram
from services.kernel.workflow.diagrams.soundness import unsound

RESERVED: Final = frozenset({"and", "or", "not", "in", "true", "false", "null", "none"})
_UNSOUND: Final = {
    "doubled": "“{name}”可能同时到达两次。并行的分支要先用并行网关汇合，再往下走。",
    "stuck": "流程可能停在“{name}”再也走不下去。并行网关要等所有分支，只有其中一支会来时请改用选择网关。",
    "left_over": "流程到“{name}”时，可能还有别的分支没办完。请先用并行网关汇合，再结束。",
    "no_way_out": "到了“{name}”以后，流程走不到结束。请连一条通往结束的线。",
    "too_many": "并行的分支太多、太长，无法逐一检查。请减少并行的环节。",
}


def check_diagram(
    xml: str, *, facts: Mapping[str, Kind] | None = None, duties: Collection[str] | None = None
) -> list[Finding]:
    """Return what is wrong with a BPMN text; empty for one that the engine runs.

    ``facts`` are what conditions may read beside the outcomes of steps, ``duties`` the known duties (``None`` asks about neither
    unknown duties nor ones that are missing).
    """
    return checked(xml, facts=facts, duties=duties).findings


def checked(xml: str, *, facts: Mapping[str, Kind] | None = None, duties: Collection[str] | None = None) -> Reading:
    """Return the graph of a BPMN text with everything that is wrong with it; what has no findings can be run."""
    reading = read_diagram(xml)
    if reading.graph is not None:
        check_graph(reading.graph, reading.say, facts=facts or {}, duties=duties)
    return reading


def check_graph(
    graph: FlowGraph,
    say: Callable[[str, str, str], None],
    *,
    facts: Mapping[str, Kind],
    duties: Collection[str] | None = None,
) -> None:
    """Tell ``say`` (code, element, sentence) of everything that is wrong with a graph."""
    faults = 0

    def tell(code: str, element: str, message: str) -> None:
        nonlocal faults
        faults += 1
        say(code, element, message)

    _check_ends(graph, tell)
    _check_ways(graph, tell)
    _check_conditions(graph, facts, tell)
    _check_duties(graph, duties, tell)
    if not faults:
        _check_reach(graph, tell)
    if not faults:
        _check_loops(graph, tell)
        for fault in unsound(graph):
            name = called(graph.nodes[fault.node]) if fault.node else ""
            tell(fault.code, fault.node, _UNSOUND[fault.code].format(name=name))


def called(node: Node) -> str:
    """Return what a node is called in a sentence."""
    kinds = {"start": "开始", "end": "结束", "choice": "选择网关", "parallel": "并行网关", "step": "环节"}
    return node.name or f"{kinds[node.kind]} {node.id}"


def names_of(graph: FlowGraph, facts: Mapping[str, Kind]) -> dict[str, Kind]:
    """Return the names that conditions may read: the facts, and each step's last outcome under its key."""
    return {**facts, **dict.fromkeys(graph.steps, "text")}


def _check_ends(graph: FlowGraph, say: Callable[[str, str, str], None]) -> None:
    starts = [node for node in graph.nodes.values() if node.kind == "start"]
    if len(starts) != 1:
        say("one_start", starts[1].id if starts else "", "流程要有而且只有一个开始。")
    if not any(node.kind == "end" for node in graph.nodes.values()):
        say("no_end", "", "流程没有结束。请放上“结束”，并选好结果。")
    if not graph.steps:
        say("no_step", "", "流程里没有人办理的环节。")


def _check_ways(graph: FlowGraph, say: Callable[[str, str, str], None]) -> None:
    for node in graph.nodes.values():
        entering, leaving = len(graph.entering.get(node.id, ())), len(graph.leaving.get(node.id, ()))
        if node.kind == "start" and (entering or leaving != 1):
            say("start_ways", node.id, "“开始”只能有一条流出的线，不能有流入的线。")
        elif node.kind == "end" and leaving:
            say("end_ways", node.id, f"“{called(node)}”后面不能再有流向线。")
        elif node.kind == "step" and leaving != 1:
            say("step_ways", node.id, f"环节“{called(node)}”要有而且只有一条流出的线；有几种去向时请接一个选择网关。")
        elif node.kind in ("choice", "parallel") and not leaving:
            say("gateway_ways", node.id, f"“{called(node)}”没有流出的线。")
        elif node.kind == "parallel" and entering > 1 and leaving > 1:
            say("gateway_mixed", node.id, f"并行网关“{called(node)}”不能又汇合又分开，请用两个网关。")


def _check_conditions(graph: FlowGraph, facts: Mapping[str, Kind], say: Callable[[str, str, str], None]) -> None:
    names = names_of(graph, facts)
    for key in graph.steps:
        if key in facts or key in RESERVED:
            say("id_odd", key, f"环节编号“{key}”已有别的用处，请换一个。")
    for node in graph.nodes.values():
        if node.kind == "choice":
            _check_choice(graph, node, names, say)
            continue
        for arrow in graph.leaving.get(node.id, ()):
            if arrow.condition:
                say("condition_lost", arrow.id, f"“{called(node)}”后面的线不能带条件，条件要放在选择网关后面。")


def _check_choice(
    graph: FlowGraph, node: Node, names: Mapping[str, Kind], say: Callable[[str, str, str], None]
) -> None:
    leaving = graph.leaving.get(node.id, ())
    default = node.default or (leaving[0].id if len(leaving) == 1 and not leaving[0].condition else "")
    if default not in {arrow.id for arrow in leaving}:
        say("no_default", node.id, f"“{called(node)}”要指定一条默认的线，条件都不符合时走它。")
    for arrow in leaving:
        if arrow.id == default and arrow.condition:
            say("condition_lost", arrow.id, f"“{called(node)}”的默认线不能带条件。")
        elif arrow.id != default and not arrow.condition:
            say("condition_missing", arrow.id, f"“{called(node)}”有一条线没有写条件，也不是默认线。")
        elif arrow.condition:
            _check_condition(arrow.id, arrow.condition, node, names, say)


def _check_condition(
    arrow: str, condition: str, node: Node, names: Mapping[str, Kind], say: Callable[[str, str, str], None]
) -> None:
    try:
        expression = Expression.parse(condition, names)
    except ExpressionFault as fault:
        say("condition_odd", arrow, f"“{called(node)}”后面的条件看不懂：{fault.message}")
        return
    if expression.kind != "flag":
        say("condition_odd", arrow, f'“{called(node)}”后面的条件要能判断是或否，例如 环节编号 == "approve"。')


def _check_duties(graph: FlowGraph, duties: Collection[str] | None, say: Callable[[str, str, str], None]) -> None:
    if duties is None:
        return
    for key, step in graph.steps.items():
        if step.level == "applicant":
            continue
        if step.duty not in duties:
            wrong = f"没有“{step.duty[:40]}”这个岗位职责" if step.duty else "没有选由谁办理"
            say("duty_unknown", key, f"环节“{step.name}”{wrong}，请从列表里选。")


def _check_reach(graph: FlowGraph, say: Callable[[str, str, str], None]) -> None:
    seen = _reached(graph, [node.id for node in graph.nodes.values() if node.kind == "start"], forward=True)
    back = _reached(graph, [node.id for node in graph.nodes.values() if node.kind == "end"], forward=False)
    for node in graph.nodes.values():
        if node.id not in seen:
            say("unreachable", node.id, f"从开始走不到“{called(node)}”，请连上或删去。")
        elif node.id not in back:
            say("no_way_out", node.id, _UNSOUND["no_way_out"].format(name=called(node)))


def _reached(graph: FlowGraph, begin: list[str], *, forward: bool) -> set[str]:
    seen, waiting = set(begin), list(begin)
    arrows = graph.leaving if forward else graph.entering
    for at in waiting:
        for arrow in arrows.get(at, ()):
            after = arrow.target if forward else arrow.source
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return seen


def _check_loops(graph: FlowGraph, say: Callable[[str, str, str], None]) -> None:
    """Refuse circles without a step: there the engine would go round for ever."""
    left = {key for key, node in graph.nodes.items() if node.kind != "step"}
    trimmed = True
    while trimmed:
        # what nothing leads to, or what leads to nothing, is part of no circle
        entered = {arrow.target for arrow in graph.arrows if arrow.source in left}
        goes_on = {arrow.source for arrow in graph.arrows if arrow.target in left}
        trimmed = bool(left - (entered & goes_on))
        left &= entered & goes_on
    circle = next((key for key in graph.nodes if key in left), None)
    if circle is not None:
        say(
            "loop", circle, f"“{called(graph.nodes[circle])}”在一个没有人办理的圈里，会一直转下去。请在圈里放一个环节。"
        )
