"""The example among the business modules."""

from services.kernel.module.spec import Hook, ModuleSpec

MODULE = ModuleSpec(
    key="example",
    title="社区服务点登记",
    system="示例",
    summary="在社区里设服务点前办理登记：街镇审核、现场核查、区里审批，登记好的服务点在台账和地图上。",
    icon="store",
    order=900,
    ended=(Hook("service_point", "services.modules.example.actions:register_point"),),
)
