"""What the log centre is told of datasets: made, changed, published."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="dataset",
        title="自建图层",
        model="datasets.Dataset",
        fields={"title": "名称", "audience": "谁能看", "category": "分类", "retired_at": "停用时间"},
        name="title",
        region="region_id",
        actor="changed_by",
        acts=("created",),
        instead="在图层的“版本”页恢复到以前的版本，或停用图层。",
    ),
    Tracked(
        kind="dataset_act",
        title="图层改动",
        model="datasets.DatasetAct",
        fields={"said": "做了什么", "revision": "第几次修改"},
        name="said",
        actor="made_by",
        state="act",
        acts=("created",),
        instead="在图层里点“撤销”。",
    ),
    Tracked(
        kind="dataset_version",
        title="图层版本",
        model="datasets.DatasetVersion",
        fields={"number": "版本", "features": "要素", "from_moment": "生效时间", "note": "说明"},
        name="number",
        actor="made_by",
        acts=("created",),
        instead="已生效的版本不能改：恢复到以前的版本再发布。",
    ),
)
