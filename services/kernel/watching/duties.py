"""Who may open the maps of supervisors."""

from services.access.roles import Duty

WATCH = "watch.view"

DUTIES = (Duty(WATCH, "查看服务监管一张图", ("city_manager", "district_manager", "street_clerk")),)
