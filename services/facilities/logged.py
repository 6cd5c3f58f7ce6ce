"""What the log centre is told of facilities and of the settings of the city, and how their changes are undone."""

from services.facilities.navigation import NAVIGATION_APPS
from services.kernel.logs.spec import Rollback, Tracked

TRACKED = (
    Tracked(
        kind="facility",
        title="服务设施",
        model="facilities.Facility",
        fields={
            "name": "名称",
            "address_text": "地址",
            "phone": "电话",
            "status": "状态",
            "hours": "开放时间",
            "attributes": "服务内容",
            "places": "总位数",
            "vacancies": "余位",
        },
        name="name",
        region="region_id",
        organisation="organisation_id",
        history=True,
        page="/desk/ledgers/facilities/{id}",
        rollback=Rollback(
            restore="services.facilities.restoring:restore_facility",
            duty="facilities.edit",
            checks="services.facilities.restoring:facility_findings",
            what="名称、地址、电话、开放时间、服务内容和状态",
        ),
    ),
    Tracked(
        kind="facility_kind",
        title="机构类别",
        model="facilities.FacilityKind",
        fields={"name": "名称", "icon": "图标", "attributes": "填写内容", "order": "次序", "retired_at": "停用时间"},
        name="name",
        region="region_id",
        actor="changed_by",
        page="/desk/kinds/{id}",
        rollback=Rollback(
            restore="services.facilities.restoring:restore_kind",
            duty="facilities.kinds",
            what="名称、图标、填写内容，以及停用还是在用",
        ),
    ),
    Tracked(
        kind="city_settings",
        title="系统设置",
        model="facilities.CitySettings",
        fields={"navigation_app": "导航应用"},
        values={"navigation_app": NAVIGATION_APPS},
        name="city",
        actor="changed_by",
        history=True,
        page="/desk/settings",
        rollback=Rollback(restore="services.facilities.restoring:restore_settings", duty="settings.write", alone=False),
    ),
)
