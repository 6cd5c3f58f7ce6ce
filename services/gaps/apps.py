"""Django's entry for gaps."""

from django.apps import AppConfig


class GapsConfig(AppConfig):
    name = "services.gaps"
    label = "gaps"
    verbose_name = "服务盲区"

    def ready(self) -> None:
        """Make the job known."""
        from services.gaps import jobs  # noqa: F401
