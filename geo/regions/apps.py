"""Django's entry for the regions app; finds its importers and keeps the city's plane known to the database."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RegionsConfig(AppConfig):
    name = "geo.regions"
    label = "regions"
    verbose_name = "行政区划"

    def ready(self) -> None:
        """Teach the database the plane after each migration: a deployment may bring parameters of its own later."""
        from geo.regions.planes import teach_planes

        post_migrate.connect(teach_planes, sender=self, dispatch_uid="regions.planes")
