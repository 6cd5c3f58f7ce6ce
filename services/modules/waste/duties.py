"""Who may see appointments for waste, and who may correct where they are and call them off."""

from services.access.roles import Duty

VIEW = "waste.view"
EDIT = "waste.edit"
DUTIES = (
    Duty(VIEW, "看装修垃圾预约", ("city_manager", "district_manager", "street_clerk", "institution_head")),
    Duty(EDIT, "改正预约位置、取消预约、重发“一张图”", ("city_manager", "district_manager")),
)
