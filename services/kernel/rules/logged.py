"""What the log centre is told of rules: drafts, what was published, and how an earlier version holds again."""

from services.kernel.logs.spec import Rollback, Tracked

TRACKED = (
    Tracked(
        kind="rule",
        title="规则",
        model="kernel_rules.RuleVersion",
        fields={"number": "版本", "state": "状态", "active": "在用", "from_day": "生效日期", "reason": "原因"},
        name="rule_set",
        region="region_id",
        actor="changed_by",
        state="state",
        states={"published": "发布规则", "checked": "规则通过检查"},
        page="/desk/rules/versions/{id}",
        rollback=Rollback(
            restore="services.kernel.rules.restoring:restore_rules",
            checks="services.kernel.rules.restoring:rule_findings",
            duty="rules.edit",
            alone=False,
            what="把上一版规则作为新的一版发布，从今天起生效",
        ),
    ),
    Tracked(
        kind="rule_fault",
        title="规则故障",
        model="kernel_rules.RuleFault",
        fields={"rule_set": "规则", "code": "代码", "message": "情况"},
        name="rule_set",
        region="region_id",
        state="code",
        channel="task",
        acts=("created",),
    ),
)
