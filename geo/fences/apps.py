"""Django's entry for fences."""

from django.apps import AppConfig


class FencesConfig(AppConfig):
    """The app."""

    name = "geo.fences"
    label = "fences"
    verbose_name = "围栏"
