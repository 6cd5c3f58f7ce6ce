"""What the log centre is told of preloading."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="preload",
        title="数据预加载",
        model="facilities_preloading.Preload",
        fields={
            "title": "名称", "layers": "图层", "kinds": "机构类别", "region_id": "范围", "from_zoom": "最小级别",
            "to_zoom": "最大级别", "active": "是否启用",
        },
        name="title",
        actor="changed_by",
        history=True,
        page="/desk/preloads/{id}",
    ),
)  # fmt: skip
