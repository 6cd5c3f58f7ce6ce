"""Who may read the log centre, undo changes, and set what it warns of."""

from services.access.roles import Duty

MANAGERS = ("city_manager", "district_manager")
DUTIES = (
    Duty("logs.view", "查看业务日志，接收日志告警", MANAGERS),
    Duty("logs.roll_back", "回退业务数据", MANAGERS),
    Duty("logs.roll_back_alone", "不需他人确认即可回退一般数据", ("city_manager",)),
    Duty("logs.configure", "设置日志告警、归档日志", ("city_manager",)),
)
