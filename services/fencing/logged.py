"""What the log centre is told of editions of fences and of what was done to them."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="fence_edition",
        title="围栏版本",
        model="fences.FenceEdition",
        fields={"purpose": "用途", "number": "版本", "state": "状态", "from_moment": "生效时间", "note": "说明"},
        name="purpose",
        region="district_id",
        actor="changed_by",
        state="state",
        states={"published": "发布围栏", "approved": "批准围栏", "checked": "围栏通过检查"},
        instead="已经使用的版本不能改：用“恢复到这一版”，或新建草稿再发布。",
    ),
    Tracked(
        kind="fence_change",
        title="围栏改动",
        model="fences.FenceChange",
        fields={"said": "做了什么", "revision": "第几次修改"},
        name="said",
        actor="made_by",
        state="act",
        acts=("created",),
        instead="在围栏草稿里撤销。",
    ),
)
