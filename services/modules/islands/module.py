"""The island map among the business modules."""

from services.kernel.module.spec import ModuleSpec

MODULE = ModuleSpec(
    key="islands",
    title="尚岛服务一张图",
    system="崇明区“一网通办”重点工作信息系统",
    summary="游客在崇明的地图上组合图层找民宿、吃饭和游玩的地方；区里用图层管理维护图层和民宿。",
    icon="map-pinned",
    order=70,
)
