"""Django's entry for platforms that call us."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    name = "services.access.clients"
    label = "access_clients"
    verbose_name = "接入平台"
