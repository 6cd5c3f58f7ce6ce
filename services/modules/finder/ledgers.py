"""How reports of what is wrong with places are kept at the desk."""

from services.facilities.kinds import kind_choices
from services.kernel.spec import Column, LedgerSpec
from services.modules.finder.models import ReportState
from services.modules.finder.words import WRONG

LEDGERS = (
    LedgerSpec(
        key="place-reports",
        title="机构纠错",
        model="finder.PlaceReport",
        counter="条",
        icon="message-square",
        duty="facilities.edit",
        name="facility__name",
        point="facility__geom",
        searched=("facility__name", "text"),
        order="due_on",
        tracked=True,
        page="desk-place-report",
        page_duty="facilities.edit",
        columns=(
            Column("facility__name", "机构", sorts=True, filters=True),
            Column("what", "哪里不对", "choice", WRONG, filters=True),
            Column("state", "状态", "choice", tuple(ReportState.choices), sorts=True, filters=True),
            Column("text", "说明"),
            Column("due_on", "最晚答复", "day", sorts=True, filters=True),
            Column("created_at", "报告时间", "moment", sorts=True, filters=True),
            Column("facility__kind_id", "类型", "choice", kind_choices, filters=True, shown=False),
            Column("phone", "回复手机", shown=False),
            Column("answer", "答复", shown=False),
            Column("handled_by", "核对人", filters=True, shown=False),
            Column("handled_at", "核对时间", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
)
