"""How unconfirmed places are kept at the desk."""

from services.facilities.kinds import kind_choices
from services.kernel.spec import BulkAct, Column, LedgerSpec
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
        acts=(BulkAct("催一次", "bell", "desk-urge", "facilities.edit"),),
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
)
