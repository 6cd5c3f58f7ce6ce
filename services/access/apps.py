"""Django's entry for the access app."""

from django.apps import AppConfig

from geo.scope import audits_system_scopes


class AccessConfig(AppConfig):
    name = "services.access"
    label = "access"
    verbose_name = "身份与权限"

    def ready(self) -> None:
        """Keep an audit entry of every use of the platform's own scope."""
        from services.access.actions import record_system_scope

        audits_system_scopes(record_system_scope)
