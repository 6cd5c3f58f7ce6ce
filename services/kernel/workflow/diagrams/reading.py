"""A BPMN file read into a graph: only what the engine runs is let in, and everything else is named in Chinese. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from services.kernel.workflow.diagrams.drawing import BPMN, QUANTU
from services.kernel.workflow.diagrams.graph import MOST_NODES, Arrow, FlowGraph, Kind, Node
from services.kernel.workflow.spec import (
    DISPATCHES,
    LEVELS,
    MODES,
    MOST_DAYS,
    MOST_OUTCOMES,
    NOTICES,
    RESULTS,
    SCREENS,
    STEP_KEY,
    Outcome,
    Step,
)

MOST_FILLS: Final = 30
MOST_BYTES: Final = 1_000_000
MOST_ELEMENTS: Final = 5_000
DEEPEST: Final = 32
_KINDS: Final[dict[str, Kind]] = {
    "startEvent": "start", "endEvent": "end", "userTask": "step", "exclusiveGateway": "choice", "parallelGateway": "parallel",
}  # fmt: skip
_BESIDE: Final = frozenset({"textAnnotation", "association", "documentation", "extensionElements"})
_REFUSED: Final = {
    "scriptTask": "脚本任务", "serviceTask": "服务任务", "sendTask": "发送任务", "receiveTask": "接收任务",
    "businessRuleTask": "业务规则任务", "manualTask": "手工任务", "task": "普通任务", "callActivity": "调用活动",
    "subProcess": "子流程", "transaction": "事务子流程", "adHocSubProcess": "临时子流程", "inclusiveGateway": "包容网关",
    "complexGateway": "复杂网关", "eventBasedGateway": "事件网关", "boundaryEvent": "边界事件",
    "intermediateCatchEvent": "中间捕获事件", "intermediateThrowEvent": "中间抛出事件", "laneSet": "泳道",
    "dataObject": "数据对象", "dataObjectReference": "数据对象", "dataStoreReference": "数据存储", "group": "分组",
    "property": "属性", "ioSpecification": "输入输出", "multiInstanceLoopCharacteristics": "多实例标记",
    "standardLoopCharacteristics": "循环标记", "timerEventDefinition": "定时事件", "messageEventDefinition": "消息事件",
    "signalEventDefinition": "信号事件", "errorEventDefinition": "错误事件", "terminateEventDefinition": "终止事件",
    "escalationEventDefinition": "升级事件", "linkEventDefinition": "链接事件", "conditionalEventDefinition": "条件事件",
    "compensateEventDefinition": "补偿事件", "cancelEventDefinition": "取消事件", "script": "脚本",
    "collaboration": "协作（泳池）", "message": "消息", "signal": "信号", "error": "错误", "import": "外部引用",
}  # fmt: skip
_STEP_FACTS: Final = (
    "duty", "level", "mode", "days", "remind", "dispatch", "screens", "notices", "sections", "fills",
)  # fmt: skip
_PLAIN: Final = {
    "startEvent": {"id", "name"}, "endEvent": {"id", "name"}, "userTask": {"id", "name"},
    "exclusiveGateway": {"id", "name", "default", "gatewayDirection"}, "parallelGateway": {"id", "name", "gatewayDirection"},
    "sequenceFlow": {"id", "name", "sourceRef", "targetRef"}, "process": {"id", "name", "isExecutable", "processType"},
}  # fmt: skip
_EXTENSIONS: Final = {"userTask": set(_STEP_FACTS), "endEvent": {"result"}}
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a diagram: a stable code, the element it is about ('' for the whole), a Chinese sentence."""

    code: str
    element: str
    message: str


@dataclass
class Reading:
    """What was read: a graph where there is one, and what was found."""

    graph: FlowGraph | None = None
    findings: list[Finding] = field(default_factory=list)

    def say(self, code: str, element: str, message: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, element[:80], message))


def read_diagram(xml: str) -> Reading:
    """Return the graph that a BPMN text draws, with everything in it that the engine does not run as findings."""
    reading = Reading()
    root = _parsed(xml, reading)
    if root is None:
        return reading
    processes = [child for child in root if child.tag == _tag("process")]
    for child in root:
        if child.tag != _tag("process") and not child.tag.startswith("{http://www.omg.org/spec/BPMN/20100524/DI}"):
            _refuse(child, reading)
    if len(processes) != 1:
        reading.say("one_process", "", "一个流程图里要有而且只有一个流程。请删去多余的泳池或流程。")
        return reading
    _read_process(processes[0], reading)
    return reading


def _parsed(xml: str, reading: Reading) -> Element | None:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(xml.encode()) > MOST_BYTES:
        reading.say("too_large", "", f"流程图文件超过 {MOST_BYTES // 1_000_000} MB，请删去无关内容后再上传。")
        return None
    if xml.count("<") > 4 * MOST_ELEMENTS or _depth(xml) > 2 * DEEPEST:
        reading.say("too_large", "", "流程图里的元素太多或套得太深，请简化后再上传。")
        return None
    try:
        root: Element = fromstring(xml.encode(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError):
        reading.say(
            "not_bpmn", "", "这不是能读的流程图文件。请用流程编辑器保存的 BPMN 文件，文件里不能有 DOCTYPE 或实体。"
        )
        return None
    if root.tag != _tag("definitions"):
        reading.say("not_bpmn", "", "这不是 BPMN 2.0 流程图文件。")
        return None
    return root


def _depth(xml: str) -> int:
    """Return how deep elements stand in each other at most, by counting tags: before anything builds a tree of them."""
    deepest = now = 0
    for closing, single in re.findall(r"<(/?)[A-Za-z_][^<>]*?(/?)>", xml):
        now += -1 if closing else (0 if single else 1)
        deepest = max(deepest, now)
    return deepest


def _tag(name: str) -> str:
    return f"{{{BPMN}}}{name}"


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _refuse(element: Element, reading: Reading) -> None:
    name = _local(element)
    called = _REFUSED.get(name, name[:40])
    reading.say(
        "element_refused",
        element.get("id", ""),
        f"流程里不能用“{called}”，请删去。可用的有：环节、选择网关、并行网关。",
    )


def _read_process(process: Element, reading: Reading) -> None:
    nodes: dict[str, Node] = {}
    arrows: list[Arrow] = []
    _check_attributes(process, reading)
    for element in process:
        _read_element(element, nodes, arrows, reading)
    if len(nodes) > MOST_NODES:
        reading.say("too_large", "", f"流程最多 {MOST_NODES} 个元素，请拆成几个事项。")
        return
    if len({arrow.id for arrow in arrows}) != len(arrows) or {arrow.id for arrow in arrows} & nodes.keys():
        reading.say("id_twice", "", "有两条流向线（或线与元素）用了同一个编号。")
        return
    lost = [arrow for arrow in arrows if arrow.source not in nodes or arrow.target not in nodes]
    for arrow in lost:
        reading.say("arrow_loose", arrow.id, "有一条流向线没有连到元素上，请重新连接或删去。")
    if not lost:
        reading.graph = FlowGraph(nodes, tuple(arrows))


def _read_element(element: Element, nodes: dict[str, Node], arrows: list[Arrow], reading: Reading) -> None:
    name = _local(element) if element.tag.startswith(f"{{{BPMN}}}") else ""
    if name in _KINDS:
        node = _node(element, reading)
        if node.id in nodes:
            reading.say("id_twice", node.id, f"两个元素用了同一个编号“{node.id}”。")
        nodes[node.id] = node
    elif name == "sequenceFlow":
        arrows.append(_arrow(element, reading))
    elif name == "extensionElements":
        _refuse_inside(element, reading)
    elif name not in _BESIDE:
        _refuse(element, reading)


def _refuse_inside(element: Element, reading: Reading) -> None:
    for child in element:
        reading.say(
            "extension_unknown", element.get("id", ""), f"流程图里有不认识的扩展内容“{_local(child)[:40]}”，请删去。"
        )


def _check_attributes(element: Element, reading: Reading) -> None:
    name, own = _local(element), element.get("id", "")
    if _ID.fullmatch(own) is None:
        reading.say("id_odd", own, f"编号“{own[:40]}”不能用，只能是字母、数字和下划线。")
    for key in element.keys():  # noqa: SIM118 (an element is not a mapping)
        space, _, plain = key.rpartition("}")
        known = _EXTENSIONS.get(name, set()) if space == f"{{{QUANTU}" else _PLAIN.get(name, set())
        if (space and space != f"{{{QUANTU}") or plain not in known:
            reading.say(
                "attribute_unknown", own, f"“{element.get('name') or own}”上有不认识的属性“{plain[:40]}”，请删去。"
            )


def _node(element: Element, reading: Reading) -> Node:
    kind = _KINDS[_local(element)]
    own, name = element.get("id", ""), (element.get("name") or "").strip()[:60]
    _check_attributes(element, reading)
    for child in element:
        inside = _local(child)
        if inside in ("incoming", "outgoing", "documentation"):
            continue
        if inside == "extensionElements" and kind == "step":
            continue
        if inside == "extensionElements":
            _refuse_inside(child, reading)
        else:
            _refuse(child, reading)
    step = _step(element, name, reading) if kind == "step" else None
    result = element.get(f"{{{QUANTU}}}result", "approved") if kind == "end" else ""
    if result and result not in RESULTS:
        reading.say("result_unknown", own, f"结束“{name or own}”的结果要选“通过”或“不通过”。")
    return Node(own, kind, name, step, result, element.get("default", ""))


def _step(element: Element, name: str, reading: Reading) -> Step:
    own = element.get("id", "")
    called = name or own
    if STEP_KEY.fullmatch(own) is None:
        reading.say("id_odd", own, f"环节“{called}”的编号要以字母开头，只用字母、数字和下划线。")
    if not name:
        reading.say("name_missing", own, "有一个环节没有名称，请写上。")
    said: dict[str, Any] = {key: (element.get(f"{{{QUANTU}}}{key}") or "").strip() for key in _STEP_FACTS}
    for key, known, word in (
        ("level", LEVELS, "层级"),
        ("mode", MODES, "办理方式"),
        ("dispatch", DISPATCHES, "派单方式"),
    ):
        said[key] = said[key] or next(iter(known if key != "dispatch" else ["grab"]))
        if said[key] not in known:
            reading.say("choice_unknown", own, f"环节“{called}”的{word}要从{'、'.join(known.values())}里选。")
    for key, word in (("days", "办理时限"), ("remind", "提醒时限")):
        text = said[key] or ("0" if key == "days" else "1")
        good = text.isascii() and text.isdigit() and int(text[:6]) <= MOST_DAYS
        said[key] = int(text[:6]) if good else 0
        if not good:
            reading.say("days_odd", own, f"环节“{called}”的{word}要写 0 到 {MOST_DAYS} 之间的整数（工作日）。")
    for key, choices in (("screens", SCREENS), ("notices", NOTICES)):
        text = element.get(f"{{{QUANTU}}}{key}")
        chosen = tuple(
            choices if text is None and key == "notices" else Step("x", "").screens if text is None else text.split()
        )
        said[key] = chosen
        if set(chosen) - set(choices):
            reading.say("choice_unknown", own, f"环节“{called}”里选了不认识的界面或通知。")
    said["sections"] = tuple(each.strip()[:40] for each in said["sections"].split("|") if each.strip())
    said["fills"] = tuple(said["fills"].split()[:MOST_FILLS])
    return Step(own, name, outcomes=_read_outcomes(element, called, reading), **said)


def _read_outcomes(element: Element, called: str, reading: Reading) -> tuple[Outcome, ...]:
    own, found = element.get("id", ""), []
    for block in element.findall(_tag("extensionElements")):
        for child in block:
            if child.tag != f"{{{QUANTU}}}outcome" or set(child.keys()) - {"key", "label", "opinion"}:
                reading.say(
                    "extension_unknown", own, f"环节“{called}”里有不认识的扩展内容“{_local(child)[:40]}”，请删去。"
                )
                continue
            found.append(
                Outcome(child.get("key", ""), child.get("label", "")[:20], opinion=child.get("opinion") == "true")
            )
    keys = [each.key for each in found]
    if not 1 <= len(found) <= MOST_OUTCOMES or len(set(keys)) != len(keys):
        reading.say(
            "outcomes_odd", own, f"环节“{called}”要有 1 到 {MOST_OUTCOMES} 个不同的办理结果，例如“通过”“不通过”。"
        )
    if any(STEP_KEY.fullmatch(each.key) is None or not each.label.strip() for each in found):
        reading.say("outcomes_odd", own, f"环节“{called}”的办理结果都要有名称和英文编号。")
    return tuple(found)


def _arrow(element: Element, reading: Reading) -> Arrow:
    _check_attributes(element, reading)
    condition = ""
    for child in element:
        inside = _local(child)
        if inside == "conditionExpression":
            condition = (child.text or "").strip()
            if len(child) or child.get("language"):
                reading.say("condition_odd", element.get("id", ""), "流向线的条件只能写一个表达式，不能写脚本语言。")
        elif inside != "documentation":
            _refuse(child, reading)
    own = element.get
    return Arrow(own("id", ""), own("sourceRef", ""), own("targetRef", ""), condition, (own("name") or "").strip()[:60])
