"""How addresses and communities are kept at the desk."""

from geo.addresses.models import PointSource
from services.kernel.spec import Column, LedgerSpec

_POINT = (
    Column("point_source", "位置来源", "choice", tuple(PointSource.choices), filters=True),
    Column("uncertainty_m", "误差半径", "number", unit="米", sorts=True, filters=True),
    Column("source__title", "数据来源", shown=False),
)

LEDGERS = (
    LedgerSpec(
        key="addresses",
        title="门牌地址",
        model="addresses.Address",
        counter="个",
        icon="map-pin",
        duty="addresses.edit",
        name="normal",
        point="geom",
        finds="geo.addresses.upkeep.queries:called",
        where={"retired_at__isnull": True, "source__retired_at__isnull": True, "source__published_at__isnull": False},
        page="desk-address",
        adds="desk-address-add",
        columns=(
            Column("normal", "地址", sorts=True),
            Column("community__name", "小区"),
            *_POINT,
            Column("text", "来源写法", shown=False),
            Column("road", "道路", filters=True, shown=False),
            Column("updated_at", "最近修改", "moment", sorts=True, filters=True),
        ),
    ),
    LedgerSpec(
        key="communities",
        title="小区",
        model="addresses.Community",
        counter="个",
        icon="building",
        duty="addresses.edit",
        point="geom",
        outline="boundary",
        grams="grams",
        where={"retired_at__isnull": True, "source__retired_at__isnull": True, "source__published_at__isnull": False},
        columns=(
            Column("name", "名称", sorts=True),
            Column("kind", "类型", "choice", (("residential", "小区"), ("nonresidential", "非居住")), filters=True),
            Column("address_text", "地址", filters=True),
            Column("households", "户数", "integer", unit="户", sorts=True, filters=True),
            Column("built_year", "建成年份", "integer", grouped=False, sorts=True, filters=True),
            *_POINT,
            Column("aliases", "别名", shown=False),
        ),
    ),
)
