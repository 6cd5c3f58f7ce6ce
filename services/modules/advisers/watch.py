"""What supervisors see of advisers: points that are short of them."""

from services.kernel.watching.spec import Indicator

INDICATORS = (
    Indicator(
        key="short-of-advisers",
        title="顾问人员不足",
        level="bad",
        meaning="养老顾问点在岗顾问少于规定人数、预警没有解除的。",
        ledger="adviser-alerts",
        asks=(("f.state", "open"),),
        act="看预警",
        tells=("present", "least", "opened_at"),
        place="site_id",
        kind="",
        themes=("elder",),
        order=30,
    ),
)
