"""What the log centre is told of visits, check-ins and their review; never a home or a position."""

from services.fencing.checkins.models import VisitState
from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="visit",
        title="上门任务",
        model="checkins.Visit",
        fields={"kind": "类型", "worker_id": "服务人员", "from_at": "开始", "to_at": "结束", "state": "状态",
                "cancelled_why": "取消原因"},
        name="number",
        region="region_id",
        actor="changed_by",
        state="state",
        states=dict(VisitState.choices),
        history=True,
        instead="在“上门安排”里取消这次任务，再重新安排。",
    ),
    Tracked(
        kind="checkin_review",
        title="打卡审核",
        model="checkins.CheckInReview",
        fields={"accepted": "通过", "words": "意见"},
        name="words",
        actor="by",
        instead="审核过的不能改；有异议的，在服务单位的说明里写明。",
    ),
)  # fmt: skip
