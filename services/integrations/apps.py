"""Django's entry for integrations; so far it has commands and no tables."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "services.integrations"
    label = "integrations"
    verbose_name = "外部系统"
