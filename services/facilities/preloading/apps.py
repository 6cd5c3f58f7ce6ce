"""Django's entry for preloading."""

from django.apps import AppConfig


class PreloadingConfig(AppConfig):
    name = "services.facilities.preloading"
    label = "facilities_preloading"
    verbose_name = "数据预加载"

    def ready(self) -> None:
        """Make the jobs known."""
        from services.facilities.preloading import archives, jobs  # noqa: F401
