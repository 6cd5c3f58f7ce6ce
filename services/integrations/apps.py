"""Django's entry for integrations; it has commands and no tables."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings

from services.crypto.house import held_by
from services.crypto.port import KeyService


class IntegrationsConfig(AppConfig):
    name = "services.integrations"
    label = "integrations"
    verbose_name = "外部系统"

    def ready(self) -> None:
        """Let a remote key service hold the keys where one is configured."""
        held_by(_remote_keys)


def _remote_keys() -> KeyService | None:
    if not settings.KEY_SERVICE_URL:
        return None
    from services.integrations.keyservice.client import connected_keys

    return connected_keys()
