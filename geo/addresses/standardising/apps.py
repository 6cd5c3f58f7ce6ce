"""Django's entry for the standardising app."""

from django.apps import AppConfig


class StandardisingConfig(AppConfig):
    name = "geo.addresses.standardising"
    label = "standardising"
    verbose_name = "地址规范化"
