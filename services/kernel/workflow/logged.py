"""What the log centre is told of matters and cases: every line of a case's timeline, and what regions set of matters."""

from services.kernel.logs.spec import Rollback, Source, Tracked
from services.kernel.workflow.transitions import ACTS

RESTORING = "services.kernel.workflow.restoring"

SOURCES = (
    Source(
        key="case_events",
        title="办件轨迹",
        model="kernel_workflow.CaseEvent",
        kept="business",
        acts={f"case.{key}": f"办件：{label}" for key, label in ACTS.items()},
        act="'case.' || s.act",
        actor="coalesce(u2.username, 'system')",
        account="s.actor_id",
        object_kind="'case'",
        object_id="c.uid::text",
        object_name="c.number",
        region="c.region_id",
        organisation="c.organisation_id",
        channel="CASE WHEN s.actor_id IS NULL THEN 'task' ELSE 'page' END",
        request="s.request_id",
        detail="jsonb_strip_nulls(jsonb_build_object('matter', c.matter, 'step', nullif(s.step, '')))",
        joins="JOIN kernel_workflow_case c ON c.id = s.case_id LEFT JOIN access_user u2 ON u2.id = s.actor_id",
    ),
)
TRACKED = (
    Tracked(
        kind="case",
        title="办件",
        model="kernel_workflow.Case",
        fields={"state": "状态"},
        name="number",
        region="region_id",
        acts=(),
        page="/desk/cases/{id}",
        instead="办件不能由管理员回退。请打开办件，由经办人“退回”“撤回办理”，或由调度人员“派单”。",
    ),
    Tracked(
        kind="flow",
        title="流程版本",
        model="kernel_workflow.FlowVersion",
        fields={"number": "版本", "state": "状态", "note": "说明"},
        name="matter",
        region="region_id",
        actor="made_by",
        state="state",
        states={"published": "发布流程", "retired": "停用流程"},
        page="/desk/matters/{name}",
        rollback=Rollback(
            restore=f"{RESTORING}:restore_flow",
            checks=f"{RESTORING}:flow_findings",
            duty="cases.configure",
            alone=False,
            what="重新启用上一版流程；在办的办件不变",
        ),
    ),
    Tracked(
        kind="matter_setting",
        title="事项设置",
        model="kernel_workflow.MatterSetting",
        fields={"route": "办理模式", "category": "业务分类", "promise": "承诺时限", "sources": "申请来源"},
        name="matter",
        region="region_id",
        actor="changed_by",
        page="/desk/matters/{name}",
        rollback=Rollback(restore=f"{RESTORING}:restore_matter", duty="cases.configure"),
    ),
    Tracked(
        kind="step_setting",
        title="环节设置",
        model="kernel_workflow.StepSetting",
        fields={
            "step": "环节",
            "days": "时限",
            "remind": "提醒",
            "dispatch": "派单方式",
            "mode": "办理方式",
            "post": "岗位",
            "notices": "通知",
            "screens": "界面",
            "sections": "内容",
            "fills": "填写",
        },
        name="matter",
        region="region_id",
        actor="changed_by",
        page="/desk/matters/{name}",
        rollback=Rollback(restore=f"{RESTORING}:restore_step", duty="cases.configure"),
    ),
)
