"""The finder among the business modules."""

from services.kernel.module.spec import ModuleSpec, Periodic

MODULE = ModuleSpec(
    key="finder",
    title="随心查",
    system="上海学前教育综合管理子系统",
    summary="家长和老人收藏机构、报告哪里不对；工作人员核对纠错、改正资料、答复报告人。",
    icon="map-pin",
    order=50,
    periodic=(Periodic("flush-uses", "services.modules.finder.flush_uses", 60.0),),
)
