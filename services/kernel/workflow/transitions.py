"""What may be done with a case, as a table: in which state, which act, by whom. What is not in it is refused by name. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from geo.errors import Conflict, Forbidden


class State(StrEnum):
    """The state of a case."""

    OPEN = "open"
    SUPPLEMENT = "supplement"
    SUSPENDED = "suspended"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    DELETED = "deleted"


STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        State.OPEN: "办理中", State.SUPPLEMENT: "待补正", State.SUSPENDED: "已挂起", State.APPROVED: "已通过",
        State.REFUSED: "未通过", State.WITHDRAWN: "已撤回", State.TERMINATED: "已终止",
        State.DELETED: "已删除",
    }
)  # fmt: skip
RUNNING: Final = frozenset({State.OPEN, State.SUPPLEMENT, State.SUSPENDED})
ENDED: Final = frozenset({State.APPROVED, State.REFUSED, State.WITHDRAWN, State.TERMINATED})


class Act(StrEnum):
    """What people do with a case."""

    OPEN = "open"
    SEE = "see"
    CLAIM = "claim"
    RELEASE = "release"
    DECIDE = "decide"
    RETURN = "return"
    TAKE_BACK = "take_back"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    ADD_REVIEWER = "add_reviewer"
    SUSPEND = "suspend"
    RESUME = "resume"
    EXTEND = "extend"
    TERMINATE = "terminate"
    ASSIGN = "assign"
    URGE = "urge"
    MOVE = "move"
    CARD = "card"
    REVIEW = "review"
    DELETE = "delete"
    RESTORE = "restore"


ACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Act.OPEN: "提交申请", Act.SEE: "开始查看", Act.CLAIM: "签收", Act.RELEASE: "退回任务池", Act.DECIDE: "办理",
        Act.RETURN: "退回", Act.TAKE_BACK: "撤回办理", Act.ASK_SUPPLEMENT: "要求补正", Act.SUPPLEMENT: "补正",
        Act.WITHDRAW: "撤回申请", Act.TRANSFER: "转办", Act.ADD_REVIEWER: "加签", Act.SUSPEND: "挂起",
        Act.RESUME: "恢复办理", Act.EXTEND: "延期", Act.TERMINATE: "终止", Act.ASSIGN: "派单", Act.URGE: "催办",
        Act.MOVE: "换流程版本", Act.CARD: "亮牌",
        Act.REVIEW: "智能审核", Act.DELETE: "删除", Act.RESTORE: "恢复",
    }
)  # fmt: skip


class Who(StrEnum):
    """The part somebody has in a case."""

    HANDLER = "handler"
    """Whose task it is, or who may take it from the pool, or their delegate."""
    DECIDER = "decider"
    """Who decided last, while the next has not opened the case."""
    DISPATCHER = "dispatcher"
    APPLICANT = "applicant"
    REGISTRAR = "registrar"
    """Who registered the case at the window."""


_R = Who.REGISTRAR
_H, _D, _A = Who.HANDLER, Who.DISPATCHER, Who.APPLICANT
TABLE: Final[Mapping[tuple[State, Act], frozenset[Who]]] = MappingProxyType(
    {
        (State.OPEN, Act.CLAIM): frozenset({_H}),
        (State.OPEN, Act.RELEASE): frozenset({_H}),
        (State.OPEN, Act.DECIDE): frozenset({_H}),
        (State.OPEN, Act.RETURN): frozenset({_H}),
        (State.OPEN, Act.TAKE_BACK): frozenset({Who.DECIDER}),
        (State.OPEN, Act.ASK_SUPPLEMENT): frozenset({_H}),
        (State.OPEN, Act.WITHDRAW): frozenset({_A}),
        (State.OPEN, Act.TRANSFER): frozenset({_H}),
        (State.OPEN, Act.ADD_REVIEWER): frozenset({_H}),
        (State.OPEN, Act.SUSPEND): frozenset({_H, _D}),
        (State.OPEN, Act.EXTEND): frozenset({_H, _D}),
        (State.OPEN, Act.TERMINATE): frozenset({_H, _D}),
        (State.OPEN, Act.ASSIGN): frozenset({_D}),
        (State.OPEN, Act.URGE): frozenset({_D, _A}),
        # papers may also be brought to the window, so the handler may enter them (线下补正)
        (State.SUPPLEMENT, Act.SUPPLEMENT): frozenset({_A, _H}),
        (State.SUPPLEMENT, Act.WITHDRAW): frozenset({_A}),
        (State.SUPPLEMENT, Act.TERMINATE): frozenset({_H, _D}),
        (State.SUPPLEMENT, Act.URGE): frozenset({_H, _D}),
        (State.SUSPENDED, Act.RESUME): frozenset({_H, _D}),
        (State.SUSPENDED, Act.TERMINATE): frozenset({_H, _D}),
        # of cases registered at the window by mistake, while nobody decided anything
        (State.OPEN, Act.DELETE): frozenset({_R, _D}),
        (State.DELETED, Act.RESTORE): frozenset({_R, _D}),
    }
)


def check_act(state: State, act: Act, parts: Collection[Who]) -> None:
    """Raise ``Conflict`` where the state does not allow an act to anybody, ``Forbidden`` where not to one with these parts."""
    allowed = TABLE.get((state, act))
    if allowed is None:
        raise Conflict("act_not_now", f"这个办件{STATES[state]}，现在不能{ACTS[act]}。请刷新页面看最新情况。")
    if not allowed & set(parts):
        raise Forbidden("act_not_yours", f"您现在不能{ACTS[act]}：{_WHY.get(act, '这个环节不由您办理')}。")


_WHY: Final[Mapping[Act, str]] = MappingProxyType(
    {
        Act.TAKE_BACK: "只有上一环节的办理人，在下一环节打开之前才能撤回",
        Act.ASSIGN: "派单由本辖区的调度人员来做",
        Act.WITHDRAW: "只有申请人可以撤回申请",
        Act.URGE: "催办由调度人员或申请人来做",
    }
)


def acts_for(state: State, parts: Collection[Who]) -> list[Act]:
    """Return the acts that the table allows to somebody with these parts, in the order of ``Act``."""
    return [act for act in Act if TABLE.get((state, act), frozenset()) & set(parts)]
