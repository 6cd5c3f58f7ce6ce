"""Django's entry for the public facts of supervision."""

from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "services.facilities.supervision"
    label = "facilities_supervision"
    verbose_name = "监管公示"
