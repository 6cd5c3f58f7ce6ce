"""Django's entry for catchments."""

from django.apps import AppConfig


class CatchmentsConfig(AppConfig):
    name = "services.catchments"
    label = "catchments"
    verbose_name = "对口入园"
