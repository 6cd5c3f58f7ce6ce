"""Django's entry for the regions app."""

from django.apps import AppConfig


class RegionsConfig(AppConfig):
    name = "geo.regions"
    label = "regions"
    verbose_name = "行政区划"
