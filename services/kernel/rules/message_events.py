"""What the keepers of rules are told."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

RULES_BROKEN: Final = "rules.broken"

EVENTS: Final = (
    Event(
        key=RULES_BROKEN,
        title="规则出了故障",
        help="已发布的规则在使用中算不出结果时，通知维护这套规则的人。",
        fields=(
            EventField("规则", "谁来办理"),
            EventField("版本", "第 3 版"),
            EventField("原因", "第 2 行“得分”算不出来：算式里出现了除以 0，请先判断除数。"),
        ),
        texts={
            "in_app": Text(
                title="规则“{规则}”出了故障", body="{版本}在使用中没能给出结果。{原因}请尽快核对并发布改好的版本。"
            )
        },
    ),
)
