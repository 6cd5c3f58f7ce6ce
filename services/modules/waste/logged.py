"""What the log centre is told of appointments; who made them and their addresses are never among it."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="waste_appointment",
        title="装修垃圾预约",
        model="waste.Appointment",
        fields={
            "state": "状态", "site_name": "小区或单位", "wanted_on": "预计收运日期", "amount": "重量", "unit": "计量",
            "fence_name": "收运片区", "fence_owner": "责任单位", "placed": "位置怎么来的", "moved_because": "为什么改位置",
            "cancelled_because": "为什么取消",
        },
        name="number",
        region="region_id",
        actor="changed_by",
        history=True,
        instead="打开这个预约，把位置改回来；取消了的请预约人重新预约。",
        page="/desk/waste/{id}",
    ),
)  # fmt: skip
