"""What the log centre is told of the layers of the island map."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="island_layer",
        title="尚岛一张图图层",
        model="islands.LayerSetting",
        fields={"shown": "是否显示", "order": "次序", "title": "名称", "icon": "图标", "shape": "形状", "tone": "颜色"},
        name="title",
        actor="changed_by",
        history=True,
        instead="在“图层管理”里改回来。",
        page="/desk/islands",
    ),
)
