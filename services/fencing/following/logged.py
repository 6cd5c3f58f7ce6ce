"""What the log centre is told of following: what is followed, and where platforms are told; never where something was."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="fence_following",
        title="跟踪约定",
        model="fencing_following.Following",
        fields={
            "purpose": "用途",
            "fences": "围栏",
            "enter": "进入",
            "exit": "离开",
            "cross": "穿越",
            "dwell_s": "停留秒数",
            "approach_m": "接近米数",
        },
        name="purpose",
        region="district_id",
        actor="changed_by",
        history=True,
        page="/plan/fences/live",
        instead="请平台重新约定，或用 DELETE 取消。",
    ),
    Tracked(
        kind="fence_receiver",
        title="围栏回调地址",
        model="fencing_following.Receiver",
        fields={"url": "地址"},
        kept="audit",
        name="url",
        actor="changed_by",
        history=True,
        page="/plan/fences/live",
        instead="请平台重新设置回调地址。",
    ),
)
