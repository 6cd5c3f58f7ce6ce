"""Comments and suggestions among the business modules."""

from services.kernel.module.spec import ModuleSpec, Periodic

MODULE = ModuleSpec(
    key="opinions",
    title="点评和建议",
    system="“民服务·真为侬”养老服务综合子系统",
    summary="老人和家属点评养老机构、提建议；工作人员审核以后公开，机构答复，建议按辖区答复。",
    icon="star",
    order=60,
    periodic=(Periodic("tell-ratings", "services.modules.opinions.tell_ratings", 300.0),),
)
