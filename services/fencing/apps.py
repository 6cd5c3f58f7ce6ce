"""Django's entry for fences at work."""

from django.apps import AppConfig


class FencingConfig(AppConfig):
    """The app."""

    name = "services.fencing"
    label = "fencing"
    verbose_name = "围栏管理"
