"""What the keepers of advisory points are told of."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

SHORT: Final = "advisers.short"
ENOUGH: Final = "advisers.enough"

_SITE: Final = (
    EventField("顾问点", "老西门街道养老顾问点"),
    EventField("在岗", "1"),
    EventField("至少", "2"),
)

EVENTS: Final = (
    Event(
        key=SHORT, title="顾问点人员不足", help="在岗顾问员少于规则要求的人数时，通知所在街镇和区的经办人员。",
        fields=_SITE,
        texts={"in_app": Text(
            title="人员不足：{顾问点}",
            body="{顾问点}在岗顾问员 {在岗} 人，规则要求至少 {至少} 人。请安排人员；人数恢复后会自动解除。",
        )},
    ),
    Event(
        key=ENOUGH, title="顾问点人员预警解除", help="人数恢复、阈值降低或顾问点关闭，预警自动解除时，通知同一批人。",
        fields=(*_SITE, EventField("原因", "人员已恢复")),
        texts={"in_app": Text(title="预警解除：{顾问点}", body="{顾问点}的人员不足预警已解除：{原因}。现在在岗 {在岗} 人。")},
    ),
)  # fmt: skip
