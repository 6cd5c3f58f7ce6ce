"""What a package declares in its ``workflows.py``: a matter people apply for, and the steps by which it is handled. Pure.

Steps are declared in the order of a good case. ``services.kernel.workflow.diagrams`` turns them into a diagram, which staff may
change afterwards; deadlines are working days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from services.kernel.expressions import Kind

Level = Literal["street", "district", "city", "organisation", "applicant"]
Mode = Literal["one", "any", "all"]
Dispatch = Literal["rule", "grab", "hand"]
Screen = Literal["facts", "form", "materials", "opinions", "map"]
Route = Literal["flow", "instant", "promise", "report"]
Result = Literal["approved", "refused"]

LEVELS: Final[Mapping[Level, str]] = MappingProxyType(
    {"street": "街镇", "district": "区", "city": "市", "organisation": "机构", "applicant": "申请人"}
)
MODES: Final[Mapping[Mode, str]] = MappingProxyType({"one": "一人办理", "any": "多人任一", "all": "多人会签"})
DISPATCHES: Final[Mapping[Dispatch, str]] = MappingProxyType(
    {"rule": "按规则派单", "grab": "签收（抢单）", "hand": "人工派单"}
)
SCREENS: Final[Mapping[Screen, str]] = MappingProxyType(
    {"facts": "基本情况", "form": "申请表", "materials": "材料", "opinions": "各环节意见", "map": "位置"}
)
ROUTES: Final[Mapping[Route, str]] = MappingProxyType(
    {"flow": "流转件", "instant": "即办件", "promise": "承诺件", "report": "上报件"}
)
ROUTE_HELP: Final[Mapping[Route, str]] = MappingProxyType(
    {
        "flow": "按流程逐个环节办理，各环节各有时限。",
        "instant": "当场办结：受理的人当天办，第一个环节有了结论就办结，不再往下流转。",
        "promise": "按流程办理，并承诺从受理起多少个工作日内办结；各环节的期限都不会晚于承诺的日子。",
        "report": "下级办出结论以后，再上报市级决定；市级决定了才办结。",
    }
)
RESULTS: Final[Mapping[Result, str]] = MappingProxyType({"approved": "通过", "refused": "不通过"})
NOTICES: Final[Mapping[str, str]] = MappingProxyType(
    {"arrived": "到达时通知经办人", "decided": "办完时通知申请人", "due": "临期、超期时提醒经办人"}
)
VERDICTS: Final[Mapping[str, str]] = MappingProxyType({"pass": "符合", "check": "请人工核对", "fail": "不符合"})
"""What the smart review says, the good first."""
STEP_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
MOST_DAYS: Final = 365
MOST_OUTCOMES: Final = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """A key with its Chinese name."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way to decide a step.

    ``to`` is "" for the next step, the key of an earlier or later step, or a ``Result`` that ends the case. ``opinion`` says that
    a sentence must be written. The first outcome of a step is the good one; where several people decide, the last in the order of
    declaration that anybody chose counts for all of them.
    """

    key: str
    label: str
    to: str = ""
    opinion: bool = False


APPROVE: Final = Outcome("approve", "通过")
REFUSE: Final = Outcome("refuse", "不通过", to="refused", opinion=True)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow: who does it, how long they have, and how they may decide it.

    ``duty`` is what the handler must hold in the case's region of that ``level`` (for an organisation: over it). ``days`` are
    working days, 0 for none; ``remind`` is how many working days before the end the yellow card comes. ``when`` is an expression
    over the facts of the case and the outcomes of earlier steps (by step key): where it does not hold the step is passed over.

    What its handler sees (环节界面): ``screens``, of the form the ``sections`` with these titles (none for all), and ``fills``,
    fields of the library that the handler fills in when deciding.
    """

    key: str
    name: str
    duty: str = ""
    level: Level = "street"
    mode: Mode = "one"
    days: int = 0
    remind: int = 1
    dispatch: Dispatch = "grab"
    outcomes: tuple[Outcome, ...] = (APPROVE, REFUSE)
    screens: tuple[Screen, ...] = ("facts", "form", "materials", "opinions")
    notices: tuple[str, ...] = ("arrived", "decided", "due")
    when: str = ""
    sections: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()

    def outcome(self, key: str) -> Outcome | None:
        """Return an outcome by its key."""
        return next((each for each in self.outcomes if each.key == key), None)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Steps that are done side by side, each branch in its own order; the flow goes on when all of them are done.

    An outcome of a branch that ends the case, or leads back, takes effect when the other branches are done too.
    """

    key: str
    branches: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps of a matter in the order of a good case; behind the last the case is approved."""

    parts: tuple[Step | Parallel, ...]

    def steps(self) -> Iterator[Step]:
        """Yield all steps in the order declared."""
        for part in self.parts:
            if isinstance(part, Step):
                yield part
            else:
                for branch in part.branches:
                    yield from branch


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a case knows that conditions and rules may read; ``kind`` is one of ``services.kernel.expressions``."""

    key: str
    label: str
    kind: Kind = "text"
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class MatterSpec:
    """A matter (事项) that people or institutions apply for, and how it is handled.

    ``category`` is its class of business, ``duty`` opens its cases to staff of their region. ``applicants`` says that anyone who
    is signed in may open a case by themselves; ``opens`` is the duty that opens one at the window, '' for nobody. ``sources`` are
    the places applications come from, beside the house's own. ``prefix`` begins the number of its cases. ``form`` names the
    declared form, '' for none; ``named_by`` the question of it whose answer names the case, and questions called like a fact
    give that fact. ``promise`` is within how many working days a 承诺件 is done. ``serves`` are the kinds of places whose
    services are applied for by it, ``about`` the question of the form whose answer is the place.

    ``page`` says that cases are about a thing of ours (``Case.subject``) which is submitted on a page of its own: the address of
    that page, with ``{subject}``. Such a thing has one running case at most, no form, and nobody applies for it by themselves;
    its owner hears of the end by the signal ``case_ended`` and calls the case off when the thing changes.
    """

    key: str
    title: str
    category: str
    flow: Flow
    duty: str
    prefix: str = "AJ"
    form: str = ""
    named_by: str = ""
    promise: int = 20
    facts: tuple[Fact, ...] = ()
    opens: str = ""
    applicants: bool = True
    route: Route = "flow"
    sources: tuple[Choice, ...] = ()
    help: str = ""
    serves: tuple[str, ...] = ()
    about: str = ""
    page: str = ""


REPORT: Final = Step("reported_up", "上报市级决定", "cases.city", level="city", days=10, remind=2)
"""The step that a 上报件 goes to when those below have come to a result; no flow may have one of its key."""
OWN_SOURCES: Final = (Choice("online", "网上申请"), Choice("window", "窗口受理"))


def check_matter(spec: MatterSpec) -> None:
    """Raise ``ValueError`` for a declaration that cannot be meant: doubled or odd keys, unknown targets, impossible deadlines."""
    keys = [step.key for step in spec.flow.steps()]
    if not keys or len(set(keys)) != len(keys) or REPORT.key in keys:
        raise ValueError(f"{spec.key}: steps are missing or declared twice")
    for step in spec.flow.steps():
        _check_step(spec, step, set(keys))
    sources = [each.key for each in (*OWN_SOURCES, *spec.sources)]
    if len(set(sources)) != len(sources):
        raise ValueError(f"{spec.key}: a source is declared twice")
    if spec.page and ("{subject}" not in spec.page or spec.form or spec.applicants):
        raise ValueError(f"{spec.key}: what is submitted on a page of its own has no form, and nobody applies for it")


def _check_step(spec: MatterSpec, step: Step, keys: set[str]) -> None:
    where = f"{spec.key}.{step.key}"
    if STEP_KEY.fullmatch(step.key) is None:
        raise ValueError(f"{where}: not a key")
    if not 0 <= step.days <= MOST_DAYS or not 0 <= step.remind <= MOST_DAYS:
        raise ValueError(f"{where}: an impossible deadline")
    outcomes = [each.key for each in step.outcomes]
    if not 1 <= len(outcomes) <= MOST_OUTCOMES or len(set(outcomes)) != len(outcomes):
        raise ValueError(f"{where}: outcomes are missing or declared twice")
    for each in step.outcomes:
        if each.to and each.to not in keys and each.to not in RESULTS:
            raise ValueError(f"{where}: {each.key} leads to {each.to}, which is not there")
    if step.level != "applicant" and not step.duty:
        raise ValueError(f"{where}: nobody could do it without a duty")
