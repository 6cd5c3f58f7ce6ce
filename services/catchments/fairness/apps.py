"""Django's entry for the fairness of catchments."""

from django.apps import AppConfig


class FairnessConfig(AppConfig):
    name = "services.catchments.fairness"
    label = "catchments_fairness"
    verbose_name = "对口公平性分析"

    def ready(self) -> None:
        """Make the job known."""
        from services.catchments.fairness import jobs  # noqa: F401
