"""The events that the house itself tells people of; modules bring more in their own ``message_events``."""

from __future__ import annotations

from typing import Final

from services.facilities.models import FacilityStatus
from services.kernel.messages.spec import Choice, Event, EventField, Text

FACILITY_STATUS: Final = "facility.status_changed"
ENROLMENT_REGISTERED: Final = "enrolment.registered"

EVENTS: Final = (
    Event(
        key=FACILITY_STATUS,
        title="机构状态变化",
        help="机构的开放状态改变时，自动通知这家机构的负责人。",
        fields=(
            EventField("机构", "小石库门托育园"),
            EventField("新状态", "暂停服务"),
            EventField("生效日期", "2026年9月1日"),
            EventField("原因", "设备检修"),
        ),
        texts={
            "in_app": Text(
                title="{机构}的状态改为“{新状态}”", body="自{生效日期}起，{机构}的状态为“{新状态}”。原因：{原因}。"
            ),
            "sms": Text(body="{机构}自{生效日期}起状态改为“{新状态}”，详情请登录圈图查看。"),
        },
        channels=("in_app",),
        triggers=tuple(Choice(status.value, str(status.label)) for status in FacilityStatus),
    ),
    Event(
        key=ENROLMENT_REGISTERED,
        title="入园报名成功",
        help="家长报名成功后发给家长。各区可按报名入口写自己的内容。",
        fields=(
            EventField("儿童", "王小明"),
            EventField("幼儿园", "瑞金一路幼儿园"),
            EventField("报名编号", "HP20260001"),
            EventField("验证时间", "5月16日至17日"),
        ),
        texts={
            "sms": Text(body="家长您好，{儿童}已报名{幼儿园}，报名编号{报名编号}。请于{验证时间}带材料到园验证。"),
            "in_app": Text(
                title="报名成功：{幼儿园}",
                body="{儿童}已报名{幼儿园}，报名编号{报名编号}。请于{验证时间}带材料到园验证。",
            ),
        },
        channels=("sms", "in_app"),
        entries=(
            Choice("local", "本市户籍"),
            Choice("permit", "持居住证"),
            Choice("nursery", "托班升小班"),
            Choice("transfer", "转园"),
        ),
    ),
)
