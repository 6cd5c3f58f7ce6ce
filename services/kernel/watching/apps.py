"""The Django app of watching."""

from django.apps import AppConfig


class WatchingConfig(AppConfig):
    name = "services.kernel.watching"
    label = "kernel_watching"
    verbose_name = "服务监管"
