"""What the log centre is told of service points."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="service_point",
        title="服务点",
        model="example.ServicePoint",
        fields={"name": "名称", "address_text": "地址", "area_m2": "面积", "open_at_night": "夜间开放"},
        name="name",
        region="region_id",
        history=True,
    ),
)
