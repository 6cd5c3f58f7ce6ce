"""Django's entry for the imports app."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    name = "geo.imports"
    label = "imports"
    verbose_name = "来源与导入"
