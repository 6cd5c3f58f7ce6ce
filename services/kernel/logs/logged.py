"""What the log centre is told of itself: its rules, its alerts, what was undone."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="log_rule",
        title="日志告警规则",
        model="kernel_logs.AlertRule",
        fields={
            "name": "名称",
            "kind": "方式",
            "acts": "业务动作",
            "outcome": "结果",
            "source": "来源",
            "by": "对象",
            "threshold": "界限",
            "least": "至少条数",
            "minutes": "分钟数",
            "active": "启用",
        },
        kept="audit",
        name="name",
        actor="changed_by",
        page="/desk/logs/rules",
        instead="在“告警规则”里按旧内容重新保存。",
    ),
    Tracked(
        kind="log_alert",
        title="日志告警",
        model="kernel_logs.Alert",
        fields={"what": "情况", "cleared_at": "解除时间", "seen_at": "处理时间", "note": "处理情况"},
        name="what",
        channel="task",
        acts=("created", "changed"),
        page="/desk/logs/alerts",
    ),
    Tracked(
        kind="undo",
        title="业务回退申请",
        model="kernel_logs.Undo",
        fields={"state": "状态", "reason": "原因", "decided_by": "确认人", "note": "意见"},
        kept="audit",
        name="object_name",
        region="region_id",
        actor="asked_by",
        request="request_id",
        state="state",
        states={"done": "业务回退完成", "refused": "业务回退未同意"},
        acts=("created", "changed"),
        page="/desk/logs/undos",
    ),
)
