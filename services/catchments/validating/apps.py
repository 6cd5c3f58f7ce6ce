"""Django's entry for validation analysis."""

from django.apps import AppConfig


class ValidatingConfig(AppConfig):
    name = "services.catchments.validating"
    label = "catchments_validating"
    verbose_name = "对口验证分析"

    def ready(self) -> None:
        """Make the job known."""
        from services.catchments.validating import jobs  # noqa: F401
