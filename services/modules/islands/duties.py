"""Who arranges the layers of the island map."""

from services.access.roles import Duty

DUTIES = (Duty("islands.layers", "管理尚岛一张图的图层", ("city_manager", "district_manager")),)
