"""Who reviews comments and answers suggestions."""

from services.access.roles import Duty

DUTIES = (Duty("opinions.review", "审核点评、答复建议", ("city_manager", "district_manager", "street_clerk")),)
