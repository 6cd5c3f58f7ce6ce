"""The API of the house: every router mounted once, one shape of error, documentation served by ourselves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja.errors import HttpError, ValidationError

from geo.addresses import api as addresses
from geo.addresses.standardising import api as standardising
from geo.addresses.upkeep import api as upkeep
from geo.errors import BadInput, CityError, NotFound
from geo.regions import api as regions
from services.access.queries import scope_for
from services.access.signin import api as certificates
from services.catchments import api as catchments
from services.facilities import api as facilities
from services.facilities.institutions import api as institutions
from services.fencing.checkins import api as checkins
from services.fencing.files import api as fence_files
from services.fencing.following import api as following
from services.fencing.selecting import api as selecting
from services.fencing.serving import api as fences
from services.kernel.forms import api as forms
from services.kernel.messages import api as messages
from web.api import batches, exports, heat, scenes
from web.api import layers as layer_list
from web.api.document import CityAPI
from web.api.errors import problem
from web.api.limits import EXPORTS, FENCES, HEAVY, LIGHT
from web.api.staff import staff

api = CityAPI(
    title="圈图 API",
    version="1",
    description="城市地图服务：地点、地址、区划、15 分钟圈。坐标系一律用 `crs=` 指明，缺省 wgs84；顺序一律是经度、纬度。",
    docs_url="/docs",
    openapi_url="/openapi.json",
    urls_namespace="api",
)


@api.exception_handler(CityError)
def named(request: HttpRequest, error: CityError) -> HttpResponse:
    """Named errors are answered by the middleware, which also audits refusals."""
    raise error


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Say which parameter is wrong, and in what way."""
    faults = [
        {"parameter": ".".join(str(part) for part in fault["loc"][1:]), "message": fault["msg"]}
        for fault in error.errors
    ]
    names = "、".join(dict.fromkeys(fault["parameter"] for fault in faults if fault["parameter"]))
    return problem(
        BadInput("parameter_invalid", f"参数有误：{names or '请求体'}。请对照 /api/docs 核对。", errors=faults)
    )


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Give the library's own errors the shape of ours."""
    if error.status_code == 404:
        return problem(NotFound("not_found", "没有找到您要的内容。"))
    return problem(BadInput("request_invalid", "请求读不懂，请对照 /api/docs 核对。"))


api.add_router("/v1", facilities.heavy, throttle=HEAVY)
api.add_router("/v1", facilities.router, throttle=LIGHT)
api.add_router("/v1", addresses.router, auth=scope_for, throttle=HEAVY)
api.add_router("/v1", standardising.router, auth=scope_for, throttle=HEAVY)
api.add_router("/v1", batches.router, auth=batches.known_caller, throttle=LIGHT)
api.add_router("/v1", exports.making, auth=exports.asker, throttle=EXPORTS)
api.add_router("/v1", exports.router, auth=exports.asker, throttle=LIGHT)
api.add_router("/v1", heat.router, throttle=LIGHT)
api.add_router("/v1", layer_list.router, throttle=LIGHT)
api.add_router("/v1", scenes.router, throttle=LIGHT)
api.add_router("/v1", upkeep.router, auth=staff, throttle=LIGHT)
api.add_router("/v1", regions.router, auth=scope_for, throttle=LIGHT)
api.add_router("/v1", catchments.router, auth=scope_for, throttle=HEAVY)
api.add_router("/v1", fences.checking, auth=scope_for, throttle=FENCES)
api.add_router("/v1", fences.router, auth=scope_for, throttle=LIGHT)
api.add_router("/v1", fence_files.router, auth=staff, throttle=HEAVY)
api.add_router("/v1", selecting.router, auth=staff, throttle=HEAVY)
api.add_router("/v1", forms.router, auth=scope_for, throttle=HEAVY)
api.add_router("/v1", certificates.router, throttle=LIGHT)
api.add_router("/v1", certificates.own, auth=staff, throttle=LIGHT)
api.add_router("/v1/platform", institutions.router)
api.add_router("/v1", checkins.router)
api.add_router("/v1/fences", following.router)
api.add_router("/v1", messages.callbacks, throttle=LIGHT)
api.add_router("/v1", messages.router, auth=scope_for, throttle=LIGHT)
