"""How unconfirmed places and self-reports are kept at the desk."""

from services.facilities.kinds import kind_choices
from services.kernel.spec import BulkAct, Column, LedgerSpec
from services.modules.selfreport.duties import MANAGE
from services.modules.selfreport.models import ReportState
from services.modules.selfreport.unconfirmed import unconfirmed

LEDGERS = (
    LedgerSpec(
        key="unconfirmed-places",
        title="待确认的机构",
        model="facilities.Facility",
        counter="家",
        icon="clock",
        duty="facilities.edit",
        point="geom",
        grams="grams",
        order="name",
        where={"pk__in": unconfirmed().values("pk")},
        public="place",
        acts=(
            BulkAct("催一次", "bell", "desk-urge", "facilities.edit"),
            BulkAct("发填报链接", "send", "desk-self-report-send", MANAGE),
        ),
        columns=(
            Column("name", "名称", sorts=True),
            Column("kind_id", "类型", "choice", kind_choices, filters=True),
            Column("vacancies_as_of", "上次确认", "moment", sorts=True, filters=True),
            Column("vacancies", "余位", "integer", unit="个"),
            Column("places", "名额", "integer", unit="个", shown=False),
            Column("hours_as_of", "开放时间的日期", "day", sorts=True, filters=True, shown=False),
            Column("organisation__name", "运营机构", filters=True),
            Column("phone", "电话"),
            Column("reminder__told_on", "最近周报", "day", sorts=True, filters=True, shown=False),
            Column("reminder__urged_at", "最近催报", "moment", sorts=True, filters=True),
            Column("reminder__urged_by", "催报人", shown=False),
        ),
    ),
    LedgerSpec(
        key="self-reports",
        title="自主填报",
        model="selfreport.SelfReport",
        counter="份",
        icon="badge-check",
        duty=MANAGE,
        searched=("name",),
        order="-id",
        tracked=True,
        page="desk-self-report",
        page_duty=MANAGE,
        adds="desk-self-report-send",
        adds_as="发填报链接",
        acts=(BulkAct("批量审核", "badge-check", "desk-self-report-review", MANAGE),),
        columns=(
            Column("name", "机构", sorts=True, filters=True),
            Column("state", "状态", "choice", tuple(ReportState.choices), sorts=True, filters=True),
            Column("kind", "类型", "choice", kind_choices, filters=True),
            Column("phone", "手机"),
            Column("sent_at", "发出", "moment", sorts=True, filters=True),
            Column("expires_at", "有效期到", "moment", sorts=True, filters=True),
            Column("submitted_at", "提交", "moment", sorts=True, filters=True),
            Column("opened_at", "首次打开", "moment", sorts=True, filters=True, shown=False),
            Column("issue", "发了几次", "integer", shown=False),
            Column("made_by", "发送人", filters=True, shown=False),
            Column("words", "退回意见", shown=False),
            Column("reviewed_by", "审核人", filters=True, shown=False),
            Column("reviewed_at", "审核时间", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
)
