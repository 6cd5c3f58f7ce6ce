"""What those are told who look after the log centre."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

ALERT: Final = "logs.alert"
UNDO_ASKED: Final = "logs.undo_asked"

EVENTS: Final = (
    Event(
        key=ALERT,
        title="日志告警",
        help="日志符合告警规则时，通知查看全市日志的管理员。同一件事持续期间只通知一次。",
        fields=(
            EventField("规则", "同一账号多次登录被拒"),
            EventField("情况", "wang 最近 10 分钟有 12 次，超过 10 次。"),
        ),
        texts={"in_app": Text(title="日志告警：{规则}", body="{情况}请到“业务日志”的“告警”里查看和处理。")},
        urgent=True,
    ),
    Event(
        key=UNDO_ASKED,
        title="业务回退待确认",
        help="有人申请回退数据、需要第二个人确认时，通知其他管理员。",
        fields=(
            EventField("申请人", "wang"),
            EventField("对象", "服务设施 小石库门托育园"),
            EventField("原因", "录入有误"),
        ),
        texts={
            "in_app": Text(
                title="请确认业务回退：{对象}",
                body="{申请人}申请回退“{对象}”，原因：{原因}。请到“业务日志”的“回退”里核对。",
            )
        },
    ),
)
