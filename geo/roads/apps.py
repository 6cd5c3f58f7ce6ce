"""Django's entry for the roads app."""

from django.apps import AppConfig


class RoadsConfig(AppConfig):
    name = "geo.roads"
    label = "roads"
    verbose_name = "道路"
