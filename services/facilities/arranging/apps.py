"""Django's entry for the arrangement of the list."""

from django.apps import AppConfig


class ArrangingConfig(AppConfig):
    name = "services.facilities.arranging"
    label = "facilities_arranging"
    verbose_name = "查找设置"
