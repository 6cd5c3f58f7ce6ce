"""Django's entry for documents and attachments; finds what the other apps declare of them."""

from django.apps import AppConfig

from geo.declared import declarations


class DocumentsConfig(AppConfig):
    name = "services.kernel.documents"
    label = "kernel_documents"
    verbose_name = "文件与文书"

    def ready(self) -> None:
        """Register what the ``documents`` modules of the apps declare."""
        from services.kernel.documents.registry import register_owner, register_template

        for kind in declarations("documents", "OWNERS", needed=False):
            register_owner(kind)
        for spec in declarations("documents", "TEMPLATES", needed=False):
            register_template(spec)
