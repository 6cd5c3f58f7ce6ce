"""What supervisors see of opinions: suggestions nobody answered in time, low ratings, and what waits for review."""

from services.kernel.watching.spec import Indicator

INDICATORS = (
    Indicator(
        key="suggestions-late",
        title="建议超期未答复",
        level="bad",
        meaning="过了最晚答复日期还没有答复的建议，包括没有写明机构的。",
        ledger="suggestions",
        asks=(("f.state", "new"), ("f.state", "seen"), ("f.due_on.to", "{1}")),
        act="答复建议",
        tells=("about", "text", "due_on"),
        kind="",
        themes=("elder",),
        order=20,
    ),
    Indicator(
        key="low-ratings",
        title="低分点评",
        level="warn",
        meaning="近 90 天写下、已经公开的 1 星和 2 星点评。",
        ledger="place-comments",
        asks=(("f.state", "published"), ("f.overall.to", "2"), ("f.written_at.from", "{90}")),
        act="看点评",
        tells=("overall", "text", "written_at"),
        order=60,
    ),
    Indicator(
        key="comments-waiting",
        title="点评待审核",
        level="notice",
        meaning="写好以后还没有审核的点评。",
        ledger="place-comments",
        asks=(("f.state", "new"),),
        act="审核点评",
        tells=("overall", "text", "written_at"),
        order=70,
    ),
    Indicator(
        key="replies-waiting",
        title="机构答复待审核",
        level="notice",
        meaning="机构对点评写了答复，还没有审核的。",
        ledger="place-comments",
        asks=(("f.reply_state", "new"),),
        act="审核答复",
        tells=("text", "written_at"),
        order=80,
    ),
)
