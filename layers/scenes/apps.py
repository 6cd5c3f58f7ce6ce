"""Django's entry for scenes."""

from django.apps import AppConfig
from django.db.models.signals import post_delete


class ScenesConfig(AppConfig):
    name = "layers.scenes"
    label = "scenes"
    verbose_name = "三维模型"

    def ready(self) -> None:
        """Let the kept files go with their package."""
        from layers.scenes.holding import let_go
        from layers.scenes.models import ScenePackage

        post_delete.connect(let_go, sender=ScenePackage, dispatch_uid="scenes.let_go")
