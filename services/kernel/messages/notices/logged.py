"""What the log centre is told of notices."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="notice",
        title="通知公告",
        model="kernel_notices.Notice",
        fields={"title": "标题", "body": "正文", "state": "状态", "public": "对外公开", "shows_until": "显示到"},
        name="title",
        region="region_id",
        actor="changed_by",
        history=True,
        page="/desk/notices/{id}",
        instead="在公告页面撤回，或修改后重新发布。",
    ),
)
