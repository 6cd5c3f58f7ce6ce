"""What who made an appointment is told of."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

CANCELLED: Final = "waste.cancelled"
EVENTS: Final = (
    Event(
        key=CANCELLED, title="装修垃圾预约被取消", help="工作人员取消预约时，把原因告诉预约人。",
        fields=(EventField("小区或单位", "演示小区"), EventField("日期", "5月8日"), EventField("原因", "重复提交，已电话核实")),
        texts={
            "in_app": Text(
                title="{小区或单位}的清运预约已取消",
                body="{日期}的装修垃圾清运预约由工作人员取消，原因是“{原因}”。还要清运请重新预约，有疑问请拨 12345。",
            ),
        },
    ),
)  # fmt: skip
