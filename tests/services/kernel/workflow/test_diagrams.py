"""What the checker refuses, each by its own sentence; hostile files; and what random sound flows prove of it."""

from __future__ import annotations

import re

import pytest

from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.diagrams.drawing import draw
from services.kernel.workflow.diagrams.graph import graph_of
from services.kernel.workflow.spec import APPROVE, Flow, Outcome, Parallel, Step

STEP = '<bpmn:userTask id="{0}" name="{0}" quantu:duty="d" quantu:level="street"><bpmn:extensionElements><quantu:outcome key="ok" label="好" /></bpmn:extensionElements></bpmn:userTask>'


def bpmn(body: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{head}<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:quantu="urn:quantu:flow" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d">'
        f'<bpmn:process id="flow">{body}</bpmn:process></bpmn:definitions>'
    )


def nodes(*wanted: str) -> str:
    kinds = {"S": "startEvent", "E": "endEvent", "X": "exclusiveGateway", "P": "parallelGateway"}
    found = []
    for each in wanted:
        name, _, default = each.partition("/")
        if name[0] in kinds:
            said = f' default="{default}"' if default else ""
            found.append(f'<bpmn:{kinds[name[0]]} id="{name}"{said} />')
        else:
            found.append(STEP.format(name))
    return "".join(found)


def arrows(*wanted: str) -> str:
    """Write arrows: ``"S-a"``, or ``"X-a:condition"``; the id is the two ends."""
    found = []
    for each in wanted:
        ends, _, condition = each.partition(":")
        source, target = ends.split("-")
        inside = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        found.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'
        )
    return "".join(found)


def codes(xml: str, **more: object) -> set[str]:
    return {finding.code for finding in check_diagram(xml, **more)}  # type: ignore[arg-type]


GOOD = nodes("S", "a", "E") + arrows("S-a", "a-E")


def test_a_plain_flow_is_good() -> None:
    assert check_diagram(bpmn(GOOD), duties={"d"}) == []


@pytest.mark.parametrize(
    "element",
    ["scriptTask", "serviceTask", "sendTask", "receiveTask", "businessRuleTask", "callActivity", "subProcess", "manualTask", "task",
     "inclusiveGateway", "complexGateway", "eventBasedGateway", "boundaryEvent", "intermediateCatchEvent", "transaction", "laneSet"],
)  # fmt: skip
def test_what_the_engine_does_not_run_is_refused_by_name(element: str) -> None:
    inside = "<bpmn:script>import os</bpmn:script>" if element == "scriptTask" else ""
    found = check_diagram(bpmn(GOOD + f'<bpmn:{element} id="bad">{inside}</bpmn:{element}>'))
    assert [(each.code, each.element) for each in found] == [("element_refused", "bad")]
    assert re.search(r"不能用“[\u4e00-\u9fff（）]+”", found[0].message)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (GOOD.replace('id="a"', 'id="a" camunda:class="x"'), "attribute_unknown"),
        (GOOD.replace('id="a"', 'id="a" quantu:run="x"'), "attribute_unknown"),
        (GOOD.replace('id="a"', 'id="a" scriptFormat="python"'), "attribute_unknown"),
        (GOOD.replace("<quantu:outcome", "<camunda:executionListener class='x' /><quantu:outcome"), "extension_unknown"),
        (GOOD.replace('<bpmn:startEvent id="S" />', '<bpmn:startEvent id="S"><bpmn:timerEventDefinition /></bpmn:startEvent>'), "element_refused"),
        (GOOD.replace("</bpmn:userTask>", "<bpmn:multiInstanceLoopCharacteristics /></bpmn:userTask>"), "element_refused"),
        (GOOD.replace('quantu:level="street"', 'quantu:level="moon"'), "choice_unknown"),
        (GOOD.replace('quantu:level="street"', 'quantu:days="-1"'), "days_odd"),
        (GOOD.replace('quantu:level="street"', 'quantu:days="9999999999999"'), "days_odd"),
        (GOOD.replace("<quantu:outcome key=\"ok\" label=\"好\" />", ""), "outcomes_odd"),
        (GOOD.replace('name="a"', 'name=" "'), "name_missing"),
        (GOOD.replace('quantu:duty="d"', 'quantu:duty="x"'), "duty_unknown"),
        (GOOD.replace('quantu:duty="d"', ""), "duty_unknown"),
        (nodes("S", "a", "E") + arrows("S-a", "a-Z"), "arrow_loose"),
        (nodes("S", "S2", "a", "E") + arrows("S-a", "S2-a", "a-E"), "one_start"),
        (nodes("S", "a") + arrows("S-a"), "no_end"),
        (nodes("S", "E") + arrows("S-E"), "no_step"),
        (nodes("S", "a", "b", "E") + arrows("S-a", "a-E", "a-b", "b-E"), "step_ways"),
        (nodes("S", "a", "E", "b") + arrows("S-a", "a-E", "b-E"), "unreachable"),
        (nodes("S", "a", "b", "E", "X/X_E") + arrows("S-X", "X-a:a == &quot;ok&quot;", "X-E", "a-b", "b-a"), "no_way_out"),
        (nodes("S", "a", "b", "E", "X/X_E") + arrows("S-a", "a-X", "X-E", "X-b", "b-E"), "condition_missing"),
        (nodes("S", "a", "b", "E", "X") + arrows("S-a", "a-X", "X-E:true", "X-b:false", "b-E"), "no_default"),
        (nodes("S", "a", "b", "E", "X/X_E") + arrows("S-a", "a-X", "X-E", "X-b:ghost == 1", "b-E"), "condition_odd"),
        (nodes("S", "a", "b", "E", "X/X_E") + arrows("S-a", "a-X", "X-E", "X-b:__import__('os')", "b-E"), "condition_odd"),
        (nodes("S", "a", "b", "E", "X/X_E") + arrows("S-a", "a-X", "X-E", "X-b:1 + 1", "b-E"), "condition_odd"),
        (nodes("S", "a", "E") + arrows("S-a:true", "a-E"), "condition_lost"),
        (nodes("S", "a", "E", "X1/X1_X2", "X2/X2_E") + arrows("S-a", "a-X1", "X1-X2", "X2-X1:a == &quot;ok&quot;", "X2-E"), "loop"),
        (nodes("S", "a", "b", "E", "P") + arrows("S-P", "P-a", "P-b", "a-E", "b-E"), "left_over"),
        (nodes("S", "a", "b", "c", "E", "P") + arrows("S-P", "P-a", "P-b", "a-c", "b-c", "c-E"), "doubled"),
        (nodes("S", "a", "b", "E", "X/X_a", "P") + arrows("S-X", "X-a", "X-b:true", "a-P", "b-P", "P-E"), "stuck"),
        (nodes("S", "a", "b", "E", "P") + arrows("S-a", "a-P", "b-P", "P-b", "P-E"), "gateway_mixed"),
    ],
)  # fmt: skip
def test_each_fault_has_its_name(body: str, code: str) -> None:
    assert code in codes(bpmn(body), duties={"d"})


@pytest.mark.parametrize(
    "xml",
    [
        "", "not xml", "<a/>", bpmn(GOOD, '<!DOCTYPE d [<!ENTITY x "y">]>'),
        bpmn(GOOD, '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace('name="a"', 'name="&x;"'),
        bpmn("<bpmn:documentation>" * 5_000 + "</bpmn:documentation>" * 5_000),
        bpmn("<bpmn:documentation />" * 30_000), bpmn("x" * 1_100_000),
        bpmn(GOOD).replace("<bpmn:process", '<bpmn:process id="other" /><bpmn:process'),
        bpmn(GOOD).replace("<bpmn:process", '<bpmn:import location="http://x" /><bpmn:process'),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(xml: str) -> None:
    assert check_diagram(xml)


def test_too_many_ways_side_by_side_are_refused_in_time() -> None:
    branches = tuple(tuple(Step(f"s{b}_{n}", "步", "d") for n in range(6)) for b in range(8))
    assert codes(draw(graph_of(Flow((Parallel("p", branches),))))) == {"too_many"}


def test_a_way_back_into_a_branch_is_refused() -> None:
    flow = Flow(
        (
            Parallel("p", ((Step("a", "甲", "d"),), (Step("b", "乙", "d"),))),
            Step("c", "丙", "d", outcomes=(APPROVE, Outcome("x", "退", "a"))),
        )
    )
    assert codes(draw(graph_of(flow))) & {"stuck", "doubled", "left_over", "no_way_out"}
