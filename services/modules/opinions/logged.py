"""What the log centre is told of comments and suggestions; what people wrote is never among it."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="comment",
        title="点评",
        model="opinions.Comment",
        fields={"state": "状态", "reply_state": "机构答复", "reason": "不公开的原因", "facility_id": "机构编号"},
        name="facility_id",
        region="region_id",
        history=True,
        instead="打开这条点评，重新审核。",
        page="/desk/comments/{id}",
    ),
    Tracked(
        kind="suggestion",
        title="建议",
        model="opinions.Suggestion",
        fields={"about": "关于", "state": "状态", "due_on": "最晚答复"},
        name="about",
        region="region_id",
        history=True,
        instead="打开这条建议，选“处理中”后重新答复。",
        page="/desk/suggestions/{id}",
    ),
)
