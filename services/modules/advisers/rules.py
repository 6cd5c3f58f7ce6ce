"""How many advisers a point needs at least, as staff of the city and the districts write it."""

from __future__ import annotations

from typing import Final

from services.kernel.rules.spec import Fact, RuleSetSpec
from services.modules.advisers.words import LEVELS

STAFFING: Final = RuleSetSpec(
    key="advisers.staffing",
    title="顾问点人员预警阈值",
    help="在岗顾问员少于“至少几人”时，这个顾问点就亮出人员不足预警；够了自动解除。没有一行适用的顾问点不预警。",
    inputs=(
        Fact("level", "顾问点级别", choices=LEVELS),
        Fact("district", "所在区", help="区的名称，例如 黄浦区"),
        Fact("street", "所在街镇", help="街镇的名称"),
        Fact("open_days", "设立天数", "number", unit="天", whole=True, help="没有设立日期的为空"),
    ),
    outputs=(Fact("least", "至少几人", "number", unit="人", whole=True),),
)

RULES: Final = (STAFFING,)
