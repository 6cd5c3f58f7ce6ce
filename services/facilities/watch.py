"""What supervisors see of places: the map of services for elders, and places that stopped."""

from services.kernel.watching.spec import Indicator, Theme

THEMES = (
    Theme(
        key="elder",
        title="养老服务监管一张图",
        group="eldercare",
        counter="家",
        public="elder-map",
        places="facilities",
        kind="kind_id",
        open=(("f.status", "open"),),
    ),
)

INDICATORS = (
    Indicator(
        key="stopped",
        title="停业或暂停服务",
        level="bad",
        meaning="登记为“暂停服务”或“已关闭”、还没有下线的机构。",
        ledger="facilities",
        asks=(("f.status", "suspended"), ("f.status", "closed")),
        act="看登记情况",
        tells=("status", "updated_at"),
        place="pk",
        kind="kind_id",
        order=10,
    ),
)
