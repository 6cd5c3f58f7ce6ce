"""Django's entry for the access app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "services.access"
    label = "access"
    verbose_name = "身份与权限"
