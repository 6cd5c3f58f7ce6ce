"""Django's entry for the imports app; finds the importer of every family in the ``importing`` module of its app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ImportsConfig(AppConfig):
    name = "geo.imports"
    label = "imports"
    verbose_name = "来源与导入"

    def ready(self) -> None:
        """Import the ``importing`` module of every installed app, which registers its importer."""
        autodiscover_modules("importing")
