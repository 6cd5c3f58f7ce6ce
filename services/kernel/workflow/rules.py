"""The rules by which the work of cases is handed out: staff write them, the engine of flows asks them."""

from __future__ import annotations

from typing import Final

from services.kernel.rules.spec import Fact, RuleSetSpec

DISPATCH: Final = RuleSetSpec(
    key="cases.dispatch",
    title="派单规则",
    help="“按规则派单”的环节打开时，按这张表决定由谁办理。写了几个账号的，派给手上最少的一位；没有一行适用的，"
    "在有权办理的人里派给手上最少的一位。",
    inputs=(
        Fact("matter", "事项", help="事项的名称"),
        Fact("category", "业务类别"),
        Fact("step", "环节", help="环节的名称"),
        Fact("source", "申请来源"),
        Fact("region", "区划", help="办理环节所在的区或街镇的名称"),
        Fact("round", "第几次办理", "number", whole=True, help="退回重办的从 2 算起"),
    ),
    outputs=(Fact("handlers", "由谁办理（账号）", "texts"),),
)

RULES: Final = (DISPATCH,)
