"""Who arranges visits, goes on them, sees how they were confirmed, and reads what is sealed of them."""

from typing import Final

from services.access.roles import Duty

ATTEND: Final = "checkins.attend"
ASSIGN: Final = "checkins.assign"
VIEW: Final = "checkins.view"
REVIEW: Final = "checkins.review"
REVEAL: Final = "checkins.reveal"
REPORT: Final = "checkins.report"

DUTIES = (
    Duty(ATTEND, "上门服务和打卡", ("service_worker",)),
    Duty(ASSIGN, "安排上门服务", ("institution_head",)),
    Duty(VIEW, "查看上门打卡", ("city_manager", "district_manager", "street_clerk", "institution_head")),
    Duty(REVIEW, "审核上门打卡", ("district_manager", "street_clerk")),
    Duty(REVEAL, "查看打卡位置和服务地址", ("district_manager", "street_clerk")),
)
