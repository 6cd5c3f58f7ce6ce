"""Django's entry for the facilities app."""

from django.apps import AppConfig


class FacilitiesConfig(AppConfig):
    name = "services.facilities"
    label = "facilities"
    verbose_name = "服务设施"
