"""How a set of fences is approved: handed in from its page, agreed to by the district or given back to be changed."""

from __future__ import annotations

from typing import Final

from services.kernel.workflow.spec import Choice, Fact, Flow, MatterSpec, Outcome, Step

APPROVAL: Final = "fence_approval"
SOURCE: Final = "fences"
MATTERS = (
    MatterSpec(
        key=APPROVAL,
        title="围栏批准",
        category="围栏",
        prefix="WL",
        duty="fences.view",
        opens="fences.edit",
        applicants=False,
        page="/plan/fences/{subject}",
        sources=(Choice(SOURCE, "围栏草稿送审"),),
        help="围栏的草稿检查没有错误以后送审，由最后修改的人以外的一位同事批准。",
        facts=(
            Fact("purpose", "用途"),
            Fact("edition", "版本"),
            Fact("changes", "比现行版"),
            Fact("fences", "围栏（个）", "number"),
            Fact("warnings", "检查时留意"),
            Fact("note", "说明"),
            Fact("revision", "送审时是第几次修改", "number"),
        ),
        flow=Flow(
            (
                Step(
                    "approve",
                    "区里批准",
                    "fences.approve",
                    level="district",
                    days=3,
                    remind=1,
                    outcomes=(Outcome("approve", "同意"), Outcome("return", "退回修改", to="refused", opinion=True)),
                    screens=("facts", "materials", "opinions"),
                ),
            )
        ),
    ),
)
