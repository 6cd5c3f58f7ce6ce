"""Appointments for waste of renovation among the business modules."""

from services.kernel.module.spec import ModuleSpec, Periodic

MODULE = ModuleSpec(
    key="waste",
    title="装修垃圾预约",
    system="崇明区“一网通办”重点工作信息系统",
    summary="居民在地图上选好位置预约清运装修垃圾，系统认出小区、街镇和收运片区；预约位置和片区同步到“一张图”。",
    icon="recycle",
    order=80,
    periodic=(
        Periodic("tell-one-map", "services.modules.waste.tell_one_map", 60.0),
        Periodic("forget-waste-contacts", "services.modules.waste.forget_contacts", 24 * 3600.0),
    ),
)
