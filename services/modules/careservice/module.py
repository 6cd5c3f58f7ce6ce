"""Applications for services for elders among the business modules."""

from services.kernel.module.spec import Hook, ModuleSpec

MODULE = ModuleSpec(
    key="careservice",
    title="养老服务申请",
    system="“民服务·真为侬”养老服务综合子系统",
    summary="老人和家属在机构页面申请入住、日间照护、助餐和护理，街镇受理后转给机构；也可以转到养老服务一件事。",
    icon="hand-heart",
    order=70,
    checked=(Hook("care-service", "services.modules.careservice.checks:check_place"),),
)
