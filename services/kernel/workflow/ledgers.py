"""How cases are kept at the desk: every one a row, found by words, class and state, exported and printed."""

from services.kernel.spec import Column, LedgerSpec
from services.kernel.workflow.spec import ROUTES, VERDICTS
from services.kernel.workflow.transitions import STATES, State

KEPT = tuple(str(key) for key in STATES if key != State.DELETED)
"""The states of cases that are kept in the ledger: what was registered by mistake stands in the inbox under 已删除."""

LEDGERS = (
    LedgerSpec(
        key="cases",
        title="办件库",
        model="kernel_workflow.Case",
        counter="件",
        icon="clipboard-list",
        duty="cases.view",
        row_duty="duty",
        where={"state__in": KEPT},
        name="title",
        organisation="organisation_id",
        searched=("number", "title"),
        order="-opened_at",
        page="desk-case-of",
        page_duty="cases.view",
        columns=(
            Column("title", "名称"),
            Column("number", "编号", filters=True),
            Column("state", "状态", "choice", tuple((key, STATES[key]) for key in KEPT), filters=True),
            Column("step_names", "当前环节", filters=True),
            Column("lit", "牌", "choice", (("yellow", "黄牌"), ("red", "红牌")), filters=True),
            Column("review", "智能审核", "choice", tuple(VERDICTS.items()), filters=True, shown=False),
            Column("category", "业务分类", filters=True),
            Column("route", "流程分类", "choice", tuple(ROUTES.items()), filters=True),
            Column("source", "渠道", filters=True, shown=False),
            Column("source_number", "来源编号", filters=True, shown=False),
            Column("matter", "事项编号", filters=True, shown=False),
            Column("opened_at", "提交时间", "moment", sorts=True, filters=True),
            Column("closed_at", "办结时间", "moment", sorts=True, filters=True, shown=False),
            Column("opened_by", "提交人", shown=False),
            Column("organisation__name", "机构", filters=True, shown=False),
            Column("facility__name", "服务设施", shown=False),
        ),
    ),
)
