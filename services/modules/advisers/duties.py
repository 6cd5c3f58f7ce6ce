"""Who may see advisers, keep their records, and read what is sealed of them."""

from services.access.roles import Duty

DUTIES = (
    Duty("advisers.view", "查看养老顾问", ("city_manager", "district_manager", "street_clerk", "institution_head")),
    Duty("advisers.record", "填写顾问工作记录", ("district_manager", "street_clerk", "institution_head")),
    Duty("advisers.reveal", "查看顾问员的完整号码", ("city_manager", "district_manager")),
    Duty("advisers.staff", "接收人员不足预警", ("district_manager", "street_clerk")),
    Duty("advisers.library", "查看专题库取数情况", ("city_manager",)),
)
