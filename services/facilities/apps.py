"""Django's entry for the facilities app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FacilitiesConfig(AppConfig):
    name = "services.facilities"
    label = "facilities"
    verbose_name = "服务设施"

    def ready(self) -> None:
        """Let facilities take part in the search for address conflicts; keep declared kinds, let every request follow them."""
        from services.facilities import address_conflicts  # noqa: F401
        from services.facilities.kinds.current import listen

        listen()
        post_migrate.connect(seed, sender=self, dispatch_uid="facilities.kinds")


def seed(**kwargs: object) -> None:
    """Write the declared kinds; tables of an older state are left for the next time."""
    from django.db import connection

    from services.facilities.actions import declare_kinds
    from services.facilities.models import FacilityKind

    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        table = FacilityKind._meta.db_table
        described = connection.introspection.get_table_description(cursor, table) if table in tables else []
    if {field.column for field in FacilityKind._meta.concrete_fields} <= {column.name for column in described}:
        declare_kinds()
