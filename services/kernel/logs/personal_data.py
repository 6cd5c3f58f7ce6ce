"""What the log centre keeps of an account: lines of its acts, and alerts it has seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.kernel.logs.models import Alert, LogLine


def lines(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of an account's own acts, and the alerts it took note of."""
    for row in LogLine.objects.filter(account=user.pk).order_by("at", "id").iterator():
        yield {"时间": row.at, "做了什么": row.what, "结果": row.outcome, "地址": row.address or ""}
    for alert in Alert.objects.filter(seen_by=user).order_by("seen_at").iterator():
        yield {"时间": alert.seen_at, "做了什么": f"知晓告警：{alert.what}", "结果": "", "地址": ""}


PERSONAL_PARTS = (
    PersonalPart(
        "log_lines",
        "业务日志",
        f"{__name__}:lines",
        kept="日志保存不少于六个月（网络安全法第二十一条），按月到期整批删除，期间不能改动。",
        models=("kernel_logs.LogLine", "kernel_logs.Alert"),
    ),
)
