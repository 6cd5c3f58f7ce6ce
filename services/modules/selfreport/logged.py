"""What the log centre is told of self-reports and confirmations; numbers and what was filled in are never among it."""

from services.kernel.logs.spec import Tracked
from services.modules.selfreport.models import ReportState

TRACKED = (
    Tracked(
        kind="self_report",
        title="自主填报",
        model="selfreport.SelfReport",
        fields={
            "state": "状态",
            "issue": "发了几次",
            "expires_at": "有效期到",
            "facility_id": "机构编号",
            "reviewed_by": "审核人",
        },
        name="name",
        region="region_id",
        actor="made_by",
        state="state",
        states=dict(ReportState.choices),
        history=True,
        instead="没有审核的，打开这一份退回或撤销；已经通过的，在机构的改动记录里撤销。",
        page="/desk/self-reports/{id}",
    ),
)
