"""Django's entry for the island map."""

from django.apps import AppConfig


class IslandsConfig(AppConfig):
    name = "services.modules.islands"
    label = "islands"
    verbose_name = "尚岛服务一张图"
