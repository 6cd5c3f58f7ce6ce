"""What the log centre is told of platforms that call us: every call, and changes of what they may do."""

from services.kernel.logs.spec import Source, Tracked

SOURCES = (
    Source(
        key="client_calls",
        title="接入平台调用",
        model="access_clients.ClientCall",
        kept="access",
        acts={"client.call": "接入平台调用"},
        act="'client.call'",
        actor="s.app",
        object_kind="'client'",
        object_id="coalesce(s.client_id::text, s.app)",
        object_name="concat_ws(' ', nullif(s.app, ''), nullif(s.operation, ''))",
        region="s.region_id",
        channel="'client'",
        request="s.request_id",
        outcome="CASE s.outcome WHEN 'answered' THEN 'done' WHEN 'refused' THEN 'refused' ELSE 'failed' END",
        ms="s.ms",
        address="s.address",
        detail="jsonb_build_object('status', s.status, 'reason', s.reason, 'method', s.method, 'path', s.path)",
    ),
)
TRACKED = (
    Tracked(
        kind="client",
        title="接入平台",
        model="access_clients.ApiClient",
        fields={
            "name": "平台名称",
            "keeper": "责任单位和联系人",
            "networks": "网络白名单",
            "operations": "可调用接口",
            "per_minute": "每分钟次数",
            "per_day": "每天次数",
            "from_day": "开始日期",
            "to_day": "结束日期",
            "active": "在用",
        },
        kept="audit",
        name="name",
        region="region_id",
        actor="changed_by",
        history=True,
        page="/desk/clients",
    ),
)
