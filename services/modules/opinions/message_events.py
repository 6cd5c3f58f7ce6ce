"""What people who said something, and the institutions it is about, are told of."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

DECIDED: Final = "opinions.comment_decided"
COMMENTED: Final = "opinions.place_commented"
REPLIED: Final = "opinions.comment_replied"
ANSWERED: Final = "opinions.suggestion_answered"

_PLACE: Final = EventField("机构", "银杏树养老院")

EVENTS: Final = (
    Event(
        key=DECIDED, title="点评审核结果", help="点评公开、没有通过或被撤下时，告诉写点评的人。",
        fields=(_PLACE, EventField("结果", "已公开"), EventField("说明", "谢谢您的点评。")),
        texts={"in_app": Text(title="您对{机构}的点评：{结果}", body="{说明}")},
    ),
    Event(
        key=COMMENTED, title="机构收到点评", help="有关机构的点评公开时，告诉机构负责人，可以答复一次。",
        fields=(_PLACE, EventField("星级", "4")),
        texts={"in_app": Text(title="{机构}收到一条点评", body="总体 {星级} 星。您可以答复一次，审核以后公开。")},
    ),
    Event(
        key=REPLIED, title="机构答复了点评", help="机构的答复公开时，告诉写点评的人。",
        fields=(_PLACE, EventField("答复", "谢谢您，我们已经改了。")),
        texts={"in_app": Text(title="{机构}答复了您的点评", body="{答复}")},
    ),
    Event(
        key=ANSWERED, title="建议的答复", help="建议有了结果，告诉提建议的人。",
        fields=(EventField("关于", "服务内容"), EventField("结果", "已采纳"), EventField("答复", "下月起周六也供餐。")),
        texts={"in_app": Text(title="您关于{关于}的建议：{结果}", body="{答复}")},
    ),
)  # fmt: skip
