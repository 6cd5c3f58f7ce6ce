"""What the log centre is told of editions of catchments and of what was done to them; rows of rules are in the changes."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="catchment",
        title="对口版本",
        model="catchments.CatchmentEdition",
        fields={
            "year": "年份", "number": "版本", "state": "状态", "from_day": "生效日期", "policy": "政策依据", "office": "咨询科室",
        },
        name="entry",
        region="district_id",
        actor="changed_by",
        state="state",
        states={"published": "发布对口版本", "approved": "批准对口版本", "checked": "对口版本通过检查"},
        page="/plan/editions/{id}",
        instead="已经使用的版本不能回退：在对口版本页面从旧版本新建草稿，再发布。",
    ),
    Tracked(
        kind="catchment_change",
        title="对口规则改动",
        model="catchments.EditionChange",
        fields={"said": "做了什么", "revision": "第几次修改"},
        name="said",
        actor="made_by",
        state="act",
        acts=("created",),
        instead="在对口版本的“改动记录”里撤销。",
    ),
)  # fmt: skip
