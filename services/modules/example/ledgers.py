"""How registered service points are kept at the desk."""

from services.kernel.spec import Column, LedgerSpec

LEDGERS = (
    LedgerSpec(
        key="service_points",
        title="社区服务点",
        model="example.ServicePoint",
        counter="个",
        icon="store",
        duty="points.view",
        point="geom",
        searched=("name", "address_text", "case_number"),
        order="name",
        tracked=True,
        columns=(
            Column("name", "名称", sorts=True),
            Column("address_text", "地址", filters=True),
            Column("area_m2", "面积", "number", unit="平方米", sorts=True, filters=True),
            Column("open_at_night", "晚上开放", "flag", filters=True),
            Column("registered_on", "登记日期", "day", sorts=True, filters=True),
            Column("case_number", "办件编号", shown=False),
        ),
    ),
)
