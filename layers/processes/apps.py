"""Django's entry for processes."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "layers.processes"
    label = "processes"
    verbose_name = "图层处理"

    def ready(self) -> None:
        """Let ``/ogc`` declare what is offered here."""
        from layers.ogc.conformance import offers
        from layers.processes.offered import PROCESSES

        offers(PROCESSES)
