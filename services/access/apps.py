"""Django's entry for the access app."""

from django.apps import AppConfig

from geo.scope import audits_system_scopes
from layers.processes.registry import scopes_by


class AccessConfig(AppConfig):
    name = "services.access"
    label = "access"
    verbose_name = "身份与权限"

    def ready(self) -> None:
        """Keep an audit entry of every use of the platform's own scope, and sign what says who may do what."""
        from services.access.actions import record_system_scope
        from services.access.alarms import record_alarm
        from services.access.queries import scope_of_account
        from services.access.signed import SIGNED
        from services.crypto.signed_rows import told_of, watch_signed_rows

        for table in SIGNED:
            watch_signed_rows(table)
        told_of(record_alarm)

        audits_system_scopes(record_system_scope)
        scopes_by(scope_of_account)
