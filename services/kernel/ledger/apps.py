"""The Django app of ledgers."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "services.kernel.ledger"
    label = "kernel_ledger"
    verbose_name = "台账"
