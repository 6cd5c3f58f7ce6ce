"""Django's entry for processes."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "layers.processes"
    label = "processes"
    verbose_name = "图层处理"
