"""How comments and suggestions are kept at the desk."""

from services.facilities.kinds import kind_choices
from services.kernel.spec import Column, LedgerSpec
from services.modules.opinions.models import CommentState, ReplyState, SuggestionState
from services.modules.opinions.words import ABOUT

LEDGERS = (
    LedgerSpec(
        key="place-comments",
        title="点评审核",
        model="opinions.Comment",
        counter="条",
        icon="star",
        duty="opinions.review",
        name="facility__name",
        point="facility__geom",
        searched=("facility__name", "text"),
        order="-written_at",
        tracked=True,
        page="desk-comment",
        page_duty="opinions.review",
        columns=(
            Column("facility__name", "机构", sorts=True, filters=True),
            Column("overall", "总体", "integer", unit="星", sorts=True, filters=True),
            Column("text", "点评"),
            Column("state", "状态", "choice", tuple(CommentState.choices), sorts=True, filters=True),
            Column("flags", "被举报", "integer", unit="次", sorts=True, filters=True),
            Column("reply_state", "机构答复", "choice", tuple(ReplyState.choices[1:]), filters=True),
            Column("written_at", "写的时间", "moment", sorts=True, filters=True),
            Column("facility__kind_id", "类型", "choice", kind_choices, filters=True, shown=False),
            Column("reason", "不公开的原因", shown=False),
            Column("decided_by", "审核人", filters=True, shown=False),
            Column("decided_at", "审核时间", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
    LedgerSpec(
        key="suggestions",
        title="建议答复",
        model="opinions.Suggestion",
        counter="条",
        icon="message-square",
        duty="opinions.review",
        name="about",
        point="facility__geom",
        searched=("facility__name", "text"),
        order="due_on",
        tracked=True,
        page="desk-suggestion",
        page_duty="opinions.review",
        columns=(
            Column("about", "关于", "choice", ABOUT, filters=True),
            Column("text", "建议"),
            Column("facility__name", "机构", sorts=True, filters=True),
            Column("state", "状态", "choice", tuple(SuggestionState.choices), sorts=True, filters=True),
            Column("due_on", "最晚答复", "day", sorts=True, filters=True),
            Column("created_at", "收到时间", "moment", sorts=True, filters=True),
            Column("answer", "答复", shown=False),
            Column("handled_by", "答复人", filters=True, shown=False),
            Column("handled_at", "答复时间", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
)
