"""Django's entry for the log centre; after every migration what it needs stands in the database."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LogsConfig(AppConfig):
    name = "services.kernel.logs"
    label = "kernel_logs"
    verbose_name = "业务日志中心"

    def ready(self) -> None:
        """Have triggers on declared tables, partitions of this month and the first rules as soon as the tables are there."""
        post_migrate.connect(_install, sender=self, dispatch_uid="kernel_logs")


def _install(**_: Any) -> None:
    from services.kernel.logs.alerting import seed_rules
    from services.kernel.logs.noting import install_triggers
    from services.kernel.logs.storage import ensure_partitions

    install_triggers()
    ensure_partitions()
    seed_rules()
