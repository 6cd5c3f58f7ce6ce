"""What the log centre is told of access: every audit entry, and changes of accounts and grants."""

from services.access.models import AuditAct
from services.kernel.logs.spec import Source, Tracked

REFUSED = "'sign_in_refused', 'refused', 'second_step_refused', 'locked'"

SOURCES = (
    Source(
        key="audit",
        title="审计记录",
        model="access.AuditEntry",
        kept="audit",
        acts={f"audit.{key}": str(label) for key, label in AuditAct.choices},
        act="'audit.' || s.act",
        actor="s.actor",
        object_kind="""CASE WHEN s.detail ? 'object' THEN s.detail ->> 'kind' WHEN s.detail ? 'account' THEN 'account'
          WHEN s.detail ? 'case' THEN 'case' WHEN s.detail ? 'ledger' THEN 'ledger' WHEN s.detail ? 'client' THEN 'client'
          WHEN s.path <> '' THEN 'path' ELSE '' END""",
        object_id="""coalesce(s.detail ->> 'object', who.id::text, s.detail ->> 'account', s.detail ->> 'case',
          s.detail ->> 'ledger', which.id::text, s.detail ->> 'client', s.path)""",
        object_name="coalesce(s.detail ->> 'account', s.detail ->> 'ledger', s.detail ->> 'client', s.path)",
        channel="CASE WHEN s.actor = 'system' THEN 'task' WHEN s.path LIKE '/api/%%' THEN 'api' ELSE 'page' END",
        request="s.request_id",
        outcome=f"CASE WHEN s.act IN ({REFUSED}) THEN 'refused' WHEN s.act = 'tampered' THEN 'failed' ELSE 'done' END",
        address="s.address",
        detail="s.detail",
        joins="""LEFT JOIN access_user who ON who.username = s.detail ->> 'account'
          LEFT JOIN access_clients_apiclient which ON which.app = s.detail ->> 'client'""",
    ),
)
TRACKED = (
    Tracked(
        kind="account",
        title="账号",
        model="access.User",
        fields={"is_active": "在用", "display_name": "姓名", "kind": "类型"},
        kept="audit",
        name="username",
        page="/desk/accounts",
    ),
    Tracked(
        kind="grant",
        title="授权",
        model="access.Grant",
        fields={
            "role_id": "角色",
            "region_id": "区域",
            "from_day": "开始日期",
            "to_day": "结束日期",
            "ended_at": "收回时间",
            "ended_by": "收回人",
        },
        kept="audit",
        name="role_id",
        region="region_id",
        actor="granted_by",
        page="/desk/accounts",
    ),
)
