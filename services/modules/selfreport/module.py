"""What institutions say of themselves, among the business modules."""

from services.kernel.module.spec import ModuleSpec, Periodic

MODULE = ModuleSpec(
    key="selfreport",
    title="机构填报",
    system="上海学前教育综合管理子系统",
    summary="机构确认余位和开放时间；超过 30 天没有确认的每周提醒、可以催；向机构负责人发自主填报链接，填好以后审核。",
    icon="badge-check",
    order=60,
    periodic=(
        Periodic("tell-unconfirmed", "services.modules.selfreport.tell_unconfirmed", 3600.0),
        Periodic("forget-numbers", "services.modules.selfreport.forget_numbers", 24 * 3600.0),
    ),
)
