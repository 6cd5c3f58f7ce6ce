"""How a parent has the kindergarten of an address checked: the district looks, and says what comes of it."""

from __future__ import annotations

from typing import Final

from services.kernel.workflow.spec import Flow, MatterSpec, Outcome, Step

CHECK: Final = "catchment_check"

MATTERS = (
    MatterSpec(
        key=CHECK,
        title="对口核对",
        category="入园",
        prefix="HD",
        duty="cases.view",
        form="catchment-check",
        help="对口幼儿园的查询结果有疑问时申请。区里在 5 个工作日里核对并答复。",
        flow=Flow(
            (
                Step(
                    "office",
                    "区招办核对",
                    "cases.district",
                    level="district",
                    days=5,
                    remind=2,
                    outcomes=(
                        Outcome("confirmed", "核对无误", opinion=True),
                        Outcome("rule", "规则将更正", to="approved", opinion=True),
                        Outcome("other", "改到另一所园", to="approved", opinion=True),
                        Outcome("refused", "不属于核对范围", to="refused", opinion=True),
                    ),
                ),
            )
        ),
    ),
)
