"""A graph written as BPMN 2.0 with its drawing, so that an editor can show it and the engine can run it. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from services.kernel.workflow.diagrams.graph import Arrow, FlowGraph, Node

BPMN: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
QUANTU: Final = "urn:quantu:flow"
_DI: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC: Final = "http://www.omg.org/spec/DD/20100524/DC"
_DD: Final = "http://www.omg.org/spec/DD/20100524/DI"
_TAGS: Final = {
    "start": "startEvent", "end": "endEvent", "step": "userTask", "choice": "exclusiveGateway", "parallel": "parallelGateway",
}  # fmt: skip
_SIZES: Final = {"start": (36, 36), "end": (36, 36), "step": (120, 80), "choice": (50, 50), "parallel": (50, 50)}
_ACROSS: Final = 180
_DOWN: Final = 120
_MARGIN: Final = 80


def draw(graph: FlowGraph, *, process: str = "flow", name: str = "") -> str:
    """Return the BPMN of a graph, with positions from left to right in the order of the flow."""
    body = [_element(graph, node) for node in graph.nodes.values()]
    body += [_arrow(arrow) for arrow in graph.arrows]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<bpmn:definitions xmlns:bpmn="{BPMN}" xmlns:bpmndi="{_DI}" xmlns:dc="{_DC}" xmlns:di="{_DD}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:quantu="{QUANTU}" id="definitions" '
        f'targetNamespace="{QUANTU}">\n'
        f'  <bpmn:process id={quoteattr(process)} name={quoteattr(name)} isExecutable="true">\n'
        + "\n".join(body)
        + "\n  </bpmn:process>\n"
        + _drawing(graph, process)
        + "</bpmn:definitions>\n"
    )


def _element(graph: FlowGraph, node: Node) -> str:
    tag = f"bpmn:{_TAGS[node.kind]}"
    said = [f"id={quoteattr(node.id)}", f"name={quoteattr(node.name)}"]
    if node.default:
        said.append(f"default={quoteattr(node.default)}")
    if node.result:
        said.append(f"quantu:result={quoteattr(node.result)}")
    inside = _outcomes(node)
    if node.step is not None:
        step = node.step
        facts = {
            "duty": step.duty, "level": step.level, "mode": step.mode, "days": str(step.days), "remind": str(step.remind),
            "dispatch": step.dispatch, "screens": " ".join(step.screens), "notices": " ".join(step.notices),
        }  # fmt: skip
        facts |= {
            key: value
            for key, value in (("sections", "|".join(step.sections)), ("fills", " ".join(step.fills)))
            if value
        }
        said += [f"quantu:{key}={quoteattr(value)}" for key, value in facts.items()]
    inside += [f"      <bpmn:incoming>{escape(each.id)}</bpmn:incoming>" for each in graph.entering.get(node.id, ())]
    inside += [f"      <bpmn:outgoing>{escape(each.id)}</bpmn:outgoing>" for each in graph.leaving.get(node.id, ())]
    return "\n".join([f"    <{tag} {' '.join(said)}>", *inside, f"    </{tag}>"])


def _outcomes(node: Node) -> list[str]:
    if node.step is None:
        return []
    lines = [
        f"        <quantu:outcome key={quoteattr(each.key)} label={quoteattr(each.label)} "
        f'opinion="{str(each.opinion).lower()}" />'
        for each in node.step.outcomes
    ]
    return ["      <bpmn:extensionElements>", *lines, "      </bpmn:extensionElements>"]


def _arrow(arrow: Arrow) -> str:
    said = f"id={quoteattr(arrow.id)} sourceRef={quoteattr(arrow.source)} targetRef={quoteattr(arrow.target)}"
    if arrow.name:
        said += f" name={quoteattr(arrow.name)}"
    if not arrow.condition:
        return f"    <bpmn:sequenceFlow {said} />"
    return (
        f"    <bpmn:sequenceFlow {said}>\n"
        f'      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{escape(arrow.condition)}'
        "</bpmn:conditionExpression>\n    </bpmn:sequenceFlow>"
    )


def _places(graph: FlowGraph) -> dict[str, tuple[int, int]]:
    """Return the middle of each node: columns by the longest way from the start, rows in the order of the flow."""
    order = [node.id for node in graph.in_order()]
    rank = {key: at for at, key in enumerate(order)}
    column = dict.fromkeys(order, 0)
    for _ in order:
        moved = False
        for arrow in graph.arrows:
            if rank[arrow.source] < rank[arrow.target] and column[arrow.target] <= column[arrow.source]:
                column[arrow.target] = column[arrow.source] + 1
                moved = True
        if not moved:
            break
    taken: dict[int, int] = defaultdict(int)
    places = {}
    for key in order:
        places[key] = (_MARGIN + column[key] * _ACROSS, _MARGIN + taken[column[key]] * _DOWN)
        taken[column[key]] += 1
    return places


def _drawing(graph: FlowGraph, process: str) -> str:
    places = _places(graph)
    lowest = max((down for _, down in places.values()), default=0) + _DOWN
    lines = [f'  <bpmndi:BPMNDiagram id="drawing">\n    <bpmndi:BPMNPlane id="plane" bpmnElement={quoteattr(process)}>']
    for node in graph.nodes.values():
        (across, down), (wide, high) = places[node.id], _SIZES[node.kind]
        marked = ' isMarkerVisible="true"' if node.kind == "choice" else ""
        lines.append(
            f"      <bpmndi:BPMNShape id={quoteattr(f'{node.id}_di')} bpmnElement={quoteattr(node.id)}{marked}>"
            f'<dc:Bounds x="{across - wide // 2}" y="{down - high // 2}" width="{wide}" height="{high}" />'
            "</bpmndi:BPMNShape>"
        )
    for arrow in graph.arrows:
        (x1, y1), (x2, y2) = places[arrow.source], places[arrow.target]
        wide1, wide2 = (_SIZES[graph.nodes[end].kind][0] // 2 for end in (arrow.source, arrow.target))
        if x2 > x1:
            middle = (x1 + wide1 + x2 - wide2) // 2
            points = [(x1 + wide1, y1), (middle, y1), (middle, y2), (x2 - wide2, y2)]
        else:
            high1, high2 = (_SIZES[graph.nodes[end].kind][1] // 2 for end in (arrow.source, arrow.target))
            points = [(x1, y1 + high1), (x1, lowest), (x2, lowest), (x2, y2 + high2)]
        drawn = "".join(f'<di:waypoint x="{across}" y="{down}" />' for across, down in points)
        lines.append(
            f"      <bpmndi:BPMNEdge id={quoteattr(f'{arrow.id}_di')} bpmnElement={quoteattr(arrow.id)}>{drawn}"
            "</bpmndi:BPMNEdge>"
        )
    return "\n".join([*lines, "    </bpmndi:BPMNPlane>\n  </bpmndi:BPMNDiagram>\n"])
