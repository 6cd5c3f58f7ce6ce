"""Django's entry for rules."""

from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "services.kernel.rules"
    label = "kernel_rules"
    verbose_name = "规则"
