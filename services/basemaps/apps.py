"""Django's entry for base maps."""

from django.apps import AppConfig


class BaseMapsConfig(AppConfig):
    name = "services.basemaps"
    label = "basemaps"
    verbose_name = "底图"
