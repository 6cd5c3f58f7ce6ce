"""Who may see where services are missing."""

from services.access.roles import Duty

VIEW = "gaps.view"
DUTIES = (Duty(VIEW, "看服务盲区", ("city_manager", "district_manager", "street_clerk", "planner")),)
