"""Who may see, change and approve what decides where children go."""

from services.access.roles import Duty

DUTIES = (
    Duty("catchments.view", "查看对口版本", ("city_manager", "district_manager", "planner")),
    Duty("catchments.edit", "编辑对口规则和片区", ("city_manager", "district_manager", "planner")),
    Duty("catchments.approve", "批准和发布对口版本", ("city_manager", "district_manager")),
)
