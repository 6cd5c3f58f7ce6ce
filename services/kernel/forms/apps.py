"""Django's entry for forms."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FormsConfig(AppConfig):
    name = "services.kernel.forms"
    label = "kernel_forms"
    verbose_name = "表单"

    def ready(self) -> None:
        """Put what the apps declare into the library whenever tables were made or changed; say which forms stand by a kind."""
        from services.facilities.kinds.actions import USERS
        from services.kernel.forms.library.kind_uses import uses_of_kind

        USERS.append(uses_of_kind)
        post_migrate.connect(seed, sender=self, dispatch_uid="kernel_forms.library")


def seed(**kwargs: object) -> None:
    """Write what is declared and not there yet; tables of an older state are left for the next time."""
    from services.kernel.forms.library.actions import seed_library

    seed_library()
