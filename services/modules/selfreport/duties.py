"""Who may send links for self-report and decide on what comes back."""

from services.access.roles import Duty

MANAGE = "selfreport.manage"
"""Held by managers of the city and of districts."""

DUTIES = (Duty(MANAGE, "发自主填报链接、审核填报", ("city_manager", "district_manager")),)
