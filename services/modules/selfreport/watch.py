"""What supervisors see of confirmations: places whose figures nobody confirmed for thirty days."""

from services.kernel.watching.spec import Indicator

INDICATORS = (
    Indicator(
        key="unconfirmed",
        title="超过 30 天未确认",
        level="warn",
        meaning="开放的机构里，余位超过 30 天没有人确认的；占在营机构的比例应不超过 5%。",
        ledger="unconfirmed-places",
        asks=(),
        act="看台账",
        tells=("vacancies_as_of", "reminder__urged_at"),
        place="pk",
        kind="kind_id",
        most_percent=5,
        order=40,
    ),
)
