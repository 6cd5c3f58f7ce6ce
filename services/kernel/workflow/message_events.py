"""What people are told of their cases and tasks."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

TASK_ARRIVED: Final = "workflow.task_arrived"
TASK_CARD: Final = "workflow.task_card"
TASK_URGED: Final = "workflow.task_urged"
CASE_DECIDED: Final = "workflow.case_decided"
CASE_SUPPLEMENT: Final = "workflow.case_supplement"
CASE_SUPPLEMENT_WINDOW: Final = "workflow.case_supplement_window"
CASE_ENDED: Final = "workflow.case_ended"

_CASE: Final = (
    EventField("事项", "养老顾问点申请"),
    EventField("编号", "YL-20260901-7QK3MX"),
    EventField("名称", "老西门街道养老顾问点"),
)
_STEP: Final = EventField("环节", "街镇审核")
_DUE: Final = EventField("期限", "9月8日")

EVENTS: Final = (
    Event(
        key=TASK_ARRIVED, title="新的待办", help="办件到了一个环节，或者派给、转给、加签给您时，通知经办人。",
        fields=(*_CASE, _STEP, _DUE),
        texts={"in_app": Text(title="待办：{名称}", body="{事项} {编号} 到了“{环节}”，请在{期限}前办理。")},
    ),
    Event(
        key=TASK_CARD, title="临期和超期", help="环节临近期限亮黄牌，超过期限亮红牌时，提醒经办人和调度人员。",
        fields=(*_CASE, _STEP, _DUE, EventField("牌", "黄牌")),
        texts={"in_app": Text(title="{牌}：{名称}", body="{事项} {编号} 的“{环节}”期限是{期限}，已亮{牌}，请尽快办理。")},
        urgent=True,
    ),
    Event(
        key=TASK_URGED, title="催办", help="调度人员或申请人催办时，通知经办人。",
        fields=(*_CASE, _STEP, _DUE, EventField("附言", "请今天办结")),
        texts={"in_app": Text(title="催办：{名称}", body="{事项} {编号} 的“{环节}”被催办：{附言}。期限{期限}。")},
        urgent=True,
    ),
    Event(
        key=CASE_DECIDED, title="办件有进展", help="一个环节办完时，通知申请人。",
        fields=(*_CASE, _STEP, EventField("结果", "通过")),
        texts={"in_app": Text(title="{名称}：{环节}{结果}", body="您的{事项}（{编号}）“{环节}”的结果：{结果}。")},
    ),
    Event(
        key=CASE_SUPPLEMENT, title="材料补正通知书", help="需要补齐、补正材料时，通知申请人；不能上网的可以拿到窗口补正。",
        fields=(*_CASE, EventField("内容", "身份证正面拍摄不清，请重新上传"), EventField("材料", "身份证")),
        texts={
            "in_app": Text(
                title="请补正材料：{名称}",
                body="您的{事项}（{编号}）需要补正。\n要补的材料：{材料}\n说明：{内容}\n请在网上补正，或带材料到受理窗口办理；补正期间不计入办理时限。",
            ),
            "sms": Text(body="您的{事项}（{编号}）需要补正材料：{材料}。{内容}。请登录圈图或到窗口补正。"),
        },
        channels=("in_app", "sms"),
    ),
    Event(
        key=CASE_SUPPLEMENT_WINDOW, title="窗口受理的办件要补正",
        help="窗口受理（或从一网通办、社区事务受理转来）的办件要补正时，通知受理的经办人员，由其转告申请人。",
        fields=(*_CASE, EventField("内容", "身份证正面拍摄不清，请重新上传"), EventField("材料", "身份证")),
        texts={
            "in_app": Text(
                title="请转告补正：{名称}",
                body="您受理的{事项}（{编号}）需要补正。\n要补的材料：{材料}\n说明：{内容}\n请打印补正通知书交给申请人。",
            )
        },
    ),
    Event(
        key=CASE_ENDED, title="办件办结", help="办件通过、不通过或终止时，通知申请人。",
        fields=(*_CASE, EventField("结果", "已通过"), EventField("说明", "符合条件")),
        texts={
            "in_app": Text(title="{名称}：{结果}", body="您的{事项}（{编号}）{结果}。{说明}"),
            "sms": Text(body="您的{事项}（{编号}）{结果}，详情请登录圈图查看。"),
        },
        channels=("in_app", "sms"),
    ),
)  # fmt: skip
