"""Django's entry for documents and attachments; finds what the other apps declare of them."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule


class DocumentsConfig(AppConfig):
    name = "services.kernel.documents"
    label = "kernel_documents"
    verbose_name = "文件与文书"

    def ready(self) -> None:
        """Register what the ``documents`` modules of the apps declare."""
        from services.kernel.documents.registry import register_owner, register_template

        for config in apps.get_app_configs():
            if config.module is None or not module_has_submodule(config.module, "documents"):
                continue
            declared = import_module(f"{config.name}.documents")
            for kind in getattr(declared, "OWNERS", ()):
                register_owner(kind)
            for spec in getattr(declared, "TEMPLATES", ()):
                register_template(spec)
