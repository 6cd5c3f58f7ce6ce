"""What people who reported something are told of."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

ANSWERED: Final = "finder.report_answered"

EVENTS: Final = (
    Event(
        key=ANSWERED, title="机构纠错的答复", help="有人报告机构资料不对，核对以后把结果告诉报告人。",
        fields=(
            EventField("机构", "小石库门托育园"),
            EventField("哪里不对", "开放时间不对"),
            EventField("结果", "已改正"),
            EventField("答复", "开放时间已改为 7:30 到 18:00。"),
        ),
        texts={
            "in_app": Text(title="{机构}：{结果}", body="您报告的“{哪里不对}”：{结果}。{答复}"),
            "sms": Text(body="您报告{机构}“{哪里不对}”：{结果}。{答复}谢谢您。"),
        },
        channels=("in_app", "sms"),
    ),
)  # fmt: skip
