"""Who may see the registered service points."""

from services.access.roles import Duty

DUTIES = (Duty("points.view", "看社区服务点", ("city_manager", "district_manager", "street_clerk")),)
