"""Django's entry for datasets."""

from django.apps import AppConfig
from django.db.models.signals import post_delete


class DatasetsConfig(AppConfig):
    name = "layers.datasets"
    label = "datasets"
    verbose_name = "自建图层"

    def ready(self) -> None:
        """Put what is published among the layers, and let a kept file go with its import."""
        from layers.datasets.files.kept import let_go
        from layers.datasets.models import DatasetImport
        from layers.datasets.provider import every_layer, find_layer
        from layers.registry import provides_layers

        provides_layers(find_layer, every_layer)
        post_delete.connect(let_go, sender=DatasetImport, dispatch_uid="datasets.let_go")
