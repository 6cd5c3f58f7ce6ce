"""Django's entry for the basemap app."""

from django.apps import AppConfig


class BasemapConfig(AppConfig):
    name = "geo.basemap"
    label = "basemap"
    verbose_name = "底图"
