"""What keepers of security are told."""

from __future__ import annotations

from typing import Final

from services.kernel.messages.spec import Event, EventField, Text

TAMPERED: Final = "security.tampered"
CHECK_FAILED: Final = "security.check_failed"

EVENTS: Final = (
    Event(
        key=TAMPERED,
        title="完整性告警",
        help="发现授权、角色、账号等记录被绕过系统改动时，通知安全管理员。被改动的授权已自动失效。",
        fields=(
            EventField("对象", "授权"),
            EventField("情况", "授权“王小明 street_clerk”与签名不符，可能被绕过系统改动"),
        ),
        texts={"in_app": Text(title="完整性告警：{对象}", body="{情况}。请到“密码安全”核查，并联系系统管理员。")},
        urgent=True,
    ),
    Event(
        key=CHECK_FAILED,
        title="完整性核查未通过",
        help="每天的完整性核查发现问题时，通知安全管理员。",
        fields=(EventField("数量", "2"), EventField("部分", "日志、重要程序")),
        texts={"in_app": Text(title="完整性核查发现 {数量} 处问题", body="涉及：{部分}。请到“密码安全”查看。")},
        urgent=True,
    ),
)
