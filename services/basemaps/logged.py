"""What the log centre is told of base maps."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="base_map",
        title="底图",
        model="basemaps.BaseMap",
        fields={
            "title": "名称", "view": "类别", "kind": "接口", "address": "网址", "layer": "图层", "names_address": "注记网址",
            "names_layer": "注记图层", "attribution": "版权", "approval": "审图号", "min_zoom": "最小级别",
            "max_zoom": "最大级别", "staff_only": "只给工作人员", "on": "是否启用", "leads": "养老一张图先用",
        },
        name="title",
        actor="changed_by",
        history=True,
        instead="在“底图”里改回来。",
        page="/desk/basemaps/{id}",
    ),
)  # fmt: skip
