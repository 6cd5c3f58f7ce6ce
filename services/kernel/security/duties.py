"""Who checks the integrity of the platform, and is told when something was altered."""

from services.access.roles import Duty

DUTIES = (Duty("security.check", "核查系统完整性，接收完整性告警", ("city_manager",)),)
