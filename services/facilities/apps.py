"""Django's entry for the facilities app."""

from django.apps import AppConfig


class FacilitiesConfig(AppConfig):
    name = "services.facilities"
    label = "facilities"
    verbose_name = "服务设施"

    def ready(self) -> None:
        """Let facilities take part in the search for address conflicts, and every request follow the kinds."""
        from services.facilities import address_conflicts  # noqa: F401
        from services.facilities.kinds.current import listen

        listen()
