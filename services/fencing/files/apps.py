"""Django's entry for files of fences."""

from django.apps import AppConfig
from django.db.models.signals import post_delete


class FenceFilesConfig(AppConfig):
    """The app."""

    name = "services.fencing.files"
    label = "fencing_files"
    verbose_name = "围栏文件"

    def ready(self) -> None:
        """Let a kept file go with its import, whoever deletes that."""
        from services.fencing.files.kept import let_go
        from services.fencing.files.models import FenceImport

        post_delete.connect(let_go, sender=FenceImport, dispatch_uid="fencing_files.let_go")
