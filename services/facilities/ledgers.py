"""How facilities are kept at the desk."""

from geo.addresses.models import PointSource
from services.facilities.kinds import KINDS
from services.facilities.models import FacilityStatus
from services.kernel.spec import Column, LedgerSpec

LEDGERS = (
    LedgerSpec(
        key="facilities",
        title="服务设施",
        model="facilities.Facility",
        counter="家",
        icon="building-2",
        duty="facilities.view",
        organisation="organisation_id",
        point="geom",
        grams="grams",
        order="name",
        where={"retired_at__isnull": True},
        tracked=True,
        public="place",
        columns=(
            Column("name", "名称", sorts=True),
            Column("kind_id", "类型", "choice", tuple((kind.key, kind.name) for kind in KINDS), filters=True),
            Column("status", "状态", "choice", tuple(FacilityStatus.choices), sorts=True, filters=True),
            Column("address_text", "地址", filters=True),
            Column("phone", "电话"),
            Column("places", "名额", "integer", unit="个", sorts=True, filters=True),
            Column("vacancies", "余位", "integer", unit="个", sorts=True, filters=True),
            Column("vacancies_as_of", "余位填报", "moment", sorts=True, filters=True, shown=False),
            Column("attributes__beds", "床位", "integer", unit="张", filters=True, shown=False),
            Column("attributes__inclusive", "普惠", "flag", filters=True, shown=False),
            Column("organisation__name", "运营机构", filters=True, shown=False),
            Column("point_source", "位置来源", "choice", tuple(PointSource.choices), filters=True, shown=False),
            Column("uncertainty_m", "误差半径", "number", unit="米", sorts=True, filters=True, shown=False),
            Column("source__title", "数据来源", shown=False),
            Column("as_of", "资料日期", "day", sorts=True, filters=True),
            Column("updated_at", "最近修改", "moment", sorts=True, filters=True, shown=False),
        ),
    ),
)
