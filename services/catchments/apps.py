"""Django's entry for catchments."""

from django.apps import AppConfig


class CatchmentsConfig(AppConfig):
    name = "services.catchments"
    label = "catchments"
    verbose_name = "对口入园"

    def ready(self) -> None:
        """Let the invented editions go with the invented city."""
        from services.catchments import invented  # noqa: F401
