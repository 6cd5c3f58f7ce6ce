"""Django's entry for the advisers."""

from django.apps import AppConfig


class AdvisersConfig(AppConfig):
    name = "services.modules.advisers"
    label = "advisers"
    verbose_name = "养老顾问"

    def ready(self) -> None:
        """Let staffing be judged anew when a point is saved."""
        from services.modules.advisers import staffing  # noqa: F401  (its receiver)
