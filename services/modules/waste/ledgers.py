"""How appointments for waste are kept at the desk."""

from services.kernel.spec import Column, LedgerSpec
from services.modules.waste.models import AppointmentState, Area, Placed, Unit

LEDGERS = (
    LedgerSpec(
        key="waste-appointments",
        title="装修垃圾预约单",
        model="waste.Appointment",
        counter="单",
        icon="recycle",
        duty="waste.view",
        name="number",
        organisation="organisation_id",
        point="geom",
        searched=("number", "site_name", "address_text"),
        order="-made_at",
        tracked=True,
        page="desk-waste",
        page_duty="waste.view",
        columns=(
            Column("number", "预约单号", sorts=True),
            Column("site_name", "小区或单位", sorts=True, filters=True),
            Column("address_text", "地址", filters=True),
            Column("fence_name", "收运片区", sorts=True, filters=True),
            Column("fence_owner", "责任单位", filters=True),
            Column("wanted_on", "预计收运", "day", sorts=True, filters=True),
            Column("state", "状态", "choice", tuple(AppointmentState.choices), filters=True),
            Column("area", "收运区域", "choice", tuple(Area.choices), filters=True, shown=False),
            Column("amount", "重量", "number", sorts=True, shown=False),
            Column("unit", "计量", "choice", tuple(Unit.choices), shown=False),
            Column("contact_name", "联系人", shown=False),
            Column("contact_phone", "联系手机", shown=False),
            Column("placed", "位置怎么来的", "choice", tuple(Placed.choices), filters=True, shown=False),
            Column("made_at", "提交时间", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
)
