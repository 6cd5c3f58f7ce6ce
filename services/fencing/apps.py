"""Django's entry for fences at work."""

from django.apps import AppConfig


class FencingConfig(AppConfig):
    """The app."""

    name = "services.fencing"
    label = "fencing"
    verbose_name = "围栏管理"

    def ready(self) -> None:
        """Let drafts hear of the cases about them, and cases of their drafts."""
        from services.fencing import approval  # noqa: F401
