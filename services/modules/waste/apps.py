"""Django's entry for appointments for waste of renovation."""

from django.apps import AppConfig


class WasteConfig(AppConfig):
    name = "services.modules.waste"
    label = "waste"
    verbose_name = "装修垃圾预约"
