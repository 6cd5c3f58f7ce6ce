"""How check-ins are kept at the desk: every attempt, whom it is of, what it came to; never a position."""

from services.fencing.checkins.duties import VIEW
from services.fencing.checkins.hints import HINTS
from services.fencing.checkins.models import Act, Face, Said
from services.fencing.checkins.registry import kind_choices
from services.kernel.spec import Column, LedgerSpec

LEDGERS = (
    LedgerSpec(
        key="checkins",
        title="上门打卡",
        model="checkins.CheckIn",
        counter="条",
        icon="map-pin",
        duty=VIEW,
        name="visit__number",
        organisation="organisation",
        searched=("visit__number", "worker__display_name"),
        order="-at",
        page="desk-checkin",
        page_duty=VIEW,
        columns=(
            Column("visit__number", "任务", filters=True),
            Column("at", "时间", "moment", sorts=True, filters=True),
            Column("act", "动作", "choice", tuple(Act.choices), filters=True),
            Column("worker__display_name", "服务人员", filters=True),
            Column("organisation__name", "服务单位", filters=True),
            Column("verdict", "结果", "choice", tuple(Said.choices), sorts=True, filters=True),
            Column("counts", "算打卡", "flag", filters=True),
            Column("hint", "疑点", "choice", tuple((key, kind.title) for key, kind in HINTS.items()), filters=True),
            Column("face", "人脸", "choice", tuple(Face.choices), filters=True),
            Column("manual", "说明情况", "flag", filters=True, shown=False),
            Column("distance_m", "距离", "integer", unit="米", sorts=True, filters=True, shown=False),
            Column("accuracy_m", "定位误差", "integer", unit="米", sorts=True, filters=True, shown=False),
            Column("visit__kind", "服务类型", "choice", kind_choices, filters=True, shown=False),
            Column("later__verdict", "补核验", "choice", tuple(Face.choices), filters=True, shown=False),
            Column("review__accepted", "审核通过", "flag", filters=True, shown=False),
            Column("via", "来源", shown=False),
            Column("said", "说明", shown=False),
        ),
    ),
)
