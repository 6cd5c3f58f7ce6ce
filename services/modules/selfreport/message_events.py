"""What institutions are told of: what they have not confirmed."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

UNCONFIRMED: Final = "selfreport.unconfirmed"
URGED: Final = "selfreport.urged"

_WHICH: Final = (EventField("家数", "2"), EventField("名单", "小石库门托育园、老西门宝宝屋"))

EVENTS: Final = (
    Event(
        key=UNCONFIRMED, title="每周待确认清单", help="余位超过 30 天没有确认的机构，每周一告诉它的负责人。",
        fields=_WHICH,
        texts={
            "in_app": Text(title="有 {家数} 家的余位待确认",
                           body="{名单}：余位超过 30 天没有确认，家长看到的是“余位待确认”。两下就能确认。"),
            "sms": Text(body="{名单}的余位超过30天没有确认，家长看到的是“余位待确认”。请登录圈图，在“我的机构”里确认。"),
        },
        channels=("in_app", "sms"),
    ),
    Event(
        key=URGED, title="催报余位", help="管理人员催机构确认余位，一家一天最多一次。",
        fields=_WHICH,
        texts={
            "in_app": Text(title="请确认 {家数} 家的余位", body="管理部门提醒您确认：{名单}。点开确认，两下就好。"),
            "sms": Text(body="管理部门提醒您确认{名单}的余位和开放时间。请登录圈图，在“我的机构”里确认。"),
        },
        channels=("in_app", "sms"),
    ),
)  # fmt: skip
