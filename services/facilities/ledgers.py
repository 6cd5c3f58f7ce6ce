"""How facilities are kept at the desk."""

from geo.addresses.models import PointSource
from services.facilities.kinds import KINDS, OWNERSHIP
from services.facilities.models import FacilityStatus
from services.kernel.spec import Column, Intake, LedgerSpec

_KINDS = tuple((kind.key, kind.name) for kind in KINDS)

INTAKE = Intake(
    fields=(
        Column("id", "编号", "integer"),
        Column("name", "名称"),
        Column("kind_id", "类型", "choice", _KINDS),
        Column("district", "区"),
        Column("address_text", "地址"),
        Column("lon", "经度", "number"),
        Column("lat", "纬度", "number"),
        Column("phone", "电话"),
        Column("status", "状态", "choice", tuple(FacilityStatus.choices)),
        Column("places", "名额", "integer", unit="个"),
        Column("vacancies", "余位", "integer", unit="个"),
        Column("attributes__beds", "床位数", "integer", unit="张"),
        Column("attributes__ownership", "性质", "choice", OWNERSHIP.choices),
        Column("attributes__inclusive", "普惠", "flag"),
        Column("attributes__fee_from_yuan", "每月收费起", "number", unit="元"),
        Column("attributes__fee_to_yuan", "每月收费止", "number", unit="元"),
        Column("as_of", "资料日期", "day"),
    ),
    required=("name", "kind_id", "address_text"),
    check="services.facilities.intake:check_sheet_rows",
    save="services.facilities.intake_writing:save_sheet_rows",
    duty="facilities.edit",
    known="id",
    explained={
        "id": "改已有的机构时填它的编号（台账里有）；新增的请留空。没有编号而类型、名称相同又相距 250 米以内的，按同一家处理。",
        "name": "最多 120 字。",
        "district": "地址里没有写区的话请填，用来找位置。",
        "address_text": "写到门牌，如 淮海中路45号；没有坐标的新机构按它定位置。",
        "lon": "可不填。填了就要和纬度一起填，上传时选出坐标系。",
        "lat": "可不填。填了就要和经度一起填。",
        "status": "不填按“开放”。",
        "vacancies": "不能多于名额。",
        "attributes__beds": "只用于养老类。",
        "attributes__inclusive": "只用于托育和幼儿园。",
        "as_of": "这些内容是哪一天的，不填按今天；不能晚于今天。",
    },
    example={
        "name": "示例街道日间照护中心",
        "kind_id": "日间照护中心",
        "district": "黄浦区",
        "address_text": "示例路45号",
        "phone": "021-00000000",
        "status": "开放",
        "places": "40",
        "attributes__beds": "20",
        "attributes__ownership": "公办",
        "as_of": "2026-09-01",
    },
)

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
        page="desk-facility-status",
        page_duty="facilities.edit",
        public="place",
        intake=INTAKE,
        columns=(
            Column("name", "名称", sorts=True),
            Column("kind_id", "类型", "choice", _KINDS, filters=True),
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
