"""What institutions are told of: what they have not confirmed, links for self-report, and what staff decided."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

UNCONFIRMED: Final = "selfreport.unconfirmed"
URGED: Final = "selfreport.urged"
LINK: Final = "selfreport.link"
RETURNED: Final = "selfreport.returned"
APPROVED: Final = "selfreport.approved"

_WHICH: Final = (
    EventField("家数", "2"),
    EventField("名单", "小石库门托育园、老西门宝宝屋"),
    EventField("页面", "https://quantu.example/my/places"),
)
_LINK: Final = (EventField("链接", "https://quantu.example/fill/AZ0x"), EventField("截止", "9月15日"))

EVENTS: Final = (
    Event(
        key=UNCONFIRMED, title="每周待确认清单", help="余位超过 30 天没有确认的机构，每周一告诉它的负责人。",
        fields=_WHICH,
        texts={
            "in_app": Text(title="有 {家数} 家的余位待确认",
                           body="{名单}：余位超过 30 天没有确认，家长看到的是“余位待确认”。两下就能确认。"),
            "sms": Text(body="{名单}的余位超过30天没有确认，家长看到的是“余位待确认”。请打开 {页面} 确认，两下就好。"),
        },
        channels=("in_app", "sms"),
    ),
    Event(
        key=URGED, title="催报余位", help="管理人员催机构确认余位，一家一天最多一次。",
        fields=_WHICH,
        texts={
            "in_app": Text(title="请确认 {家数} 家的余位", body="管理部门提醒您确认：{名单}。点开确认，两下就好。"),
            "sms": Text(body="管理部门提醒您确认{名单}的余位和开放时间。请打开 {页面} 确认。"),
        },
        channels=("in_app", "sms"),
    ),
    Event(
        key=LINK, title="自主填报链接", help="管理人员请机构负责人自主填报，链接只对这家机构和这个手机号有效。",
        fields=(EventField("机构", "小石库门托育园"), *_LINK),
        texts={"sms": Text(body="请填报{机构}的信息：{链接} {截止}前有效，打开后输入本机号码后四位。可以存草稿，请勿转发。")},
        channels=("sms",),
    ),
    Event(
        key=RETURNED, title="自主填报退回", help="填报没有通过，告诉机构要改什么，并发新的链接。",
        fields=(EventField("机构", "小石库门托育园"), EventField("意见", "请补充收托月龄。"), *_LINK),
        texts={"sms": Text(body="{机构}的填报要修改：{意见}请打开 {链接} 改好再提交，{截止}前有效。")},
        channels=("sms",),
    ),
    Event(
        key=APPROVED, title="自主填报通过", help="填报通过了，告诉机构已经公布。",
        fields=(EventField("机构", "小石库门托育园"),),
        texts={"sms": Text(body="{机构}的填报已通过审核，新的信息已经公布。谢谢您。")},
        channels=("sms",),
    ),
)  # fmt: skip
