"""The engine against a plain reading of the declared steps, on random flows and random acts."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from services.kernel.workflow.diagrams.checking import check_diagram
from services.kernel.workflow.diagrams.drawing import draw
from services.kernel.workflow.diagrams.graph import graph_of
from services.kernel.workflow.diagrams.reading import read_diagram
from services.kernel.workflow.engine import MOST_PASSES, Decision, FlowFault, runnable, stand, taken_back
from services.kernel.workflow.spec import APPROVE, REFUSE, Flow, Outcome, Parallel, Step

FACTS = frozenset({("amount", "number")})


@dataclass
class Reading:
    """The declared parts read as a person would: a finger on one part, or one on each branch of a parallel one."""

    flow: Flow
    facts: dict[str, int]
    part: int = 0
    visit: int = 0
    fingers: dict[int, int] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    result: str = ""

    def __post_init__(self) -> None:
        self.come_to(0)

    def holds(self, step: Step) -> bool:
        return not step.when or self.facts["amount"] > int(step.when.split(">")[1])

    def come_to(self, part: int) -> None:
        self.part, self.visit = part, self.visit + 1
        if part == len(self.flow.parts):
            self.result = "approved"
            return
        at = self.flow.parts[part]
        if isinstance(at, Step):
            if not self.holds(at):
                self.come_to(part + 1)
            return
        self.fingers = {branch: self.skip(steps, 0) for branch, steps in enumerate(at.branches)}
        self.join(at)

    def skip(self, steps: tuple[Step, ...], at: int) -> int:
        while at < len(steps) and not self.holds(steps[at]):
            at += 1
        return at

    def join(self, at: Parallel) -> None:
        if all(finger == len(at.branches[branch]) for branch, finger in self.fingers.items()):
            self.go_by([step for steps in at.branches for step in steps])

    def go_by(self, steps: Iterable[Step]) -> None:
        for step in steps:
            outcome = step.outcome(self.outcomes.get(step.key, ""))
            if outcome and outcome.to == "refused":
                self.result = "refused"
                return
            if outcome and outcome.to:
                self.come_to(
                    next(
                        i for i, part in enumerate(self.flow.parts) if isinstance(part, Step) and part.key == outcome.to
                    )
                )
                return
        self.come_to(self.part + 1)

    def waiting(self) -> set[str]:
        if self.result:
            return set()
        at = self.flow.parts[self.part]
        if isinstance(at, Step):
            return {at.key}
        return {at.branches[b][f].key for b, f in self.fingers.items() if f < len(at.branches[b])}

    def decide(self, decision: Decision) -> tuple[int, int] | None:
        """Apply a decision and return its visit and branch; None when the step does not wait."""
        if decision.step not in self.waiting():
            return None
        self.facts |= decision.facts
        self.outcomes[decision.step] = decision.outcome
        at, visit = self.flow.parts[self.part], self.visit
        if isinstance(at, Step):
            self.go_by([at])
            return visit, 0
        branch = next(
            b for b, f in self.fingers.items() if f < len(at.branches[b]) and at.branches[b][f].key == decision.step
        )
        self.fingers[branch] = self.skip(at.branches[branch], self.fingers[branch] + 1)
        self.join(at)
        return visit, branch


def read(flow: Flow, log: list[Decision], facts: dict[str, int]) -> tuple[Reading, list[tuple[int, int] | None]]:
    reading = Reading(flow, dict(facts))
    return reading, [reading.decide(each) for each in log]


def random_flow(chance: random.Random) -> Flow:
    parts: list[Step | Parallel] = []
    plain: list[str] = []
    number = 0

    def step(alone: bool) -> Step:
        nonlocal number
        number += 1
        outcomes = [APPROVE, REFUSE]
        if plain and chance.random() < 0.4:
            outcomes.append(Outcome("back", "退回重办", to=chance.choice(plain)))
        when = f"amount > {chance.randrange(4)}" if chance.random() < 0.3 else ""
        made = Step(f"s{number}", f"第{number}步", "d", outcomes=tuple(outcomes), when=when)
        if alone:
            plain.append(made.key)
        return made

    for at in range(chance.randrange(1, 5)):
        if chance.random() < 0.4:
            branches = tuple(
                tuple(step(False) for _ in range(chance.randrange(1, 4))) for _ in range(chance.randrange(2, 4))
            )
            parts.append(Parallel(f"p{at}", branches))
        else:
            parts.append(step(True))
    return Flow(tuple(parts))


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_reads_a_flow_as_a_person_would(seed: int) -> None:
    chance = random.Random(seed)
    acts = backs = ended = 0
    for _ in range(8):
        flow = random_flow(chance)
        xml = draw(graph_of(flow))
        findings = check_diagram(xml, facts={"amount": "number"})
        if [each.code for each in findings] == ["loop"]:
            continue  # a way back past steps that may all be passed over: rightly refused
        assert findings == []
        run = runnable(xml, FACTS)
        facts = {"amount": chance.randrange(5)}
        log: list[Decision] = []
        for _ in range(14):
            reading, places = read(flow, log, facts)
            standing = stand(run, log, facts)
            assert set(standing.waiting) == reading.waiting()
            assert len(standing.waiting) == len(set(standing.waiting))
            assert standing.result == reading.result
            assert all(standing.kept)
            if reading.result:
                ended += 1
                break
            if log and chance.random() < 0.25:
                step = chance.choice([each.step for each in log])
                at = max(i for i, each in enumerate(log) if each.step == step)
                visit, branch = places[at]  # type: ignore[misc]
                kept = log[:at] + [
                    each for each, place in zip(log[at + 1 :], places[at + 1 :], strict=True)
                    if place and place[0] == visit and place[1] != branch
                ]  # fmt: skip
                again = taken_back(log, step)
                effective = [each for each, held in zip(again, stand(run, again, facts).kept, strict=True) if held]
                assert effective == kept
                assert step in stand(run, kept, facts).waiting
                log, backs = kept, backs + 1
                continue
            step = chance.choice(sorted(reading.waiting()))
            declared = next(each for each in flow.steps() if each.key == step)
            log.append(Decision(step, chance.choice([APPROVE] * 5 + [*declared.outcomes]).key, {}))
            acts += 1
    assert min(acts, backs, ended) > 0


def test_facts_decide_at_the_moment_they_were_read() -> None:
    flow = Flow((Step("a", "初审", "d"), Step("b", "复审", "d", when="amount > 10"), Step("c", "决定", "d")))
    run = runnable(draw(graph_of(flow)), FACTS)
    small = [Decision("a", "approve", {"amount": 5})]
    assert stand(run, small, {"amount": 50}).waiting == ("c",)
    assert stand(run, [*small, Decision("c", "approve", {"amount": 50})], {}).result == "approved"
    assert stand(run, [Decision("a", "approve", {"amount": 50})], {"amount": 5}).waiting == ("b",)
    assert stand(run, [Decision("a", "approve", {})], {"amount": None}).waiting == ("c",)


def test_a_decision_about_a_step_that_does_not_wait_takes_no_effect() -> None:
    run = runnable(draw(graph_of(Flow((Step("a", "初审", "d"), Step("b", "复审", "d"))))), frozenset())
    standing = stand(
        run, [Decision("b", "approve", {}), Decision("a", "no_such", {}), Decision("a", "approve", {})], {}
    )
    assert standing.kept == (False, False, True)
    assert standing.waiting == ("b",)


def test_a_circle_is_not_walked_for_ever() -> None:
    back = Outcome("back", "退回", to="a")
    run = runnable(
        draw(graph_of(Flow((Step("a", "初审", "d"), Step("b", "复审", "d", outcomes=(APPROVE, back)))))), frozenset()
    )
    walked = [Decision("a", "approve", {}), Decision("b", "back", {})] * 50
    assert stand(run, walked, {}).waiting == ("a",)
    with pytest.raises(FlowFault):
        stand(run, walked * (MOST_PASSES // len(walked) + 1), {})


def test_a_drawn_flow_reads_back_as_it_was_declared() -> None:
    flow = Flow(
        (
            Step(
                "a",
                "街镇“初审”<1>",
                "cases.street",
                days=5,
                remind=2,
                dispatch="rule",
                screens=("facts",),
                notices=("due",),
            ),
            Parallel(
                "p",
                (
                    (Step("b", "消防", "cases.district", level="district", mode="all"),),
                    (Step("c", "卫健", "cases.district"),),
                ),
            ),
            Step(
                "d",
                "区审批",
                "cases.district",
                level="district",
                when="amount > 3",
                outcomes=(APPROVE, REFUSE, Outcome("back", "退", "a")),
            ),
        )
    )
    graph = graph_of(flow)
    reading = read_diagram(draw(graph))
    assert reading.findings == []
    assert reading.graph is not None
    assert reading.graph.arrows == graph.arrows
    for key, node in graph.nodes.items():
        read_back = reading.graph.nodes[key]
        assert (read_back.kind, read_back.name, read_back.default, read_back.result) == (
            node.kind,
            node.name,
            node.default,
            node.result,
        )
        if node.step:
            told = read_back.step
            assert told is not None
            for name in ("key", "name", "duty", "level", "mode", "days", "remind", "dispatch", "screens", "notices"):
                assert getattr(told, name) == getattr(node.step, name)
            assert [(o.key, o.label, o.opinion) for o in told.outcomes] == [
                (o.key, o.label, o.opinion) for o in node.step.outcomes
            ]
