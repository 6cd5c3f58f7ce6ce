"""Django's entry for the upkeep of places."""

from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    name = "services.facilities.upkeep"
    label = "facilities_upkeep"
    verbose_name = "机构维护"
