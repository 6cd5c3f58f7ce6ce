"""Who may see, change and approve fences, and who may count what lies in marked ground."""

from services.access.roles import Duty

DUTIES = (
    Duty("fences.view", "查看围栏", ("city_manager", "district_manager", "planner")),
    Duty("fences.edit", "绘制围栏", ("city_manager", "district_manager", "planner")),
    Duty("fences.approve", "批准和发布围栏", ("city_manager", "district_manager")),
    Duty("resources.select", "圈选资源", ("city_manager", "district_manager", "street_clerk", "planner")),
)
