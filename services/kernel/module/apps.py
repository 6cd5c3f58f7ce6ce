"""Django's entry for the modules."""

from django.apps import AppConfig


class ModuleConfig(AppConfig):
    name = "services.kernel.module"
    label = "kernel_module"
    verbose_name = "业务模块"

    def ready(self) -> None:
        """Let the modules be told of what happens."""
        from services.kernel.module import hooks  # noqa: F401  (its receivers)
