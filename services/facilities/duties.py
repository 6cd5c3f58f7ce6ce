"""Who may keep the kinds of facility."""

from services.access.roles import Duty

DUTIES = (Duty("facilities.kinds", "设置机构类别", ("city_manager", "district_manager")),)
