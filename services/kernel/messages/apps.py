"""Django's entry for messages; it connects the state changes below the kernel to what people are told of them."""

from django.apps import AppConfig
from django.db.models.signals import post_save


class MessagesConfig(AppConfig):
    name = "services.kernel.messages"
    label = "kernel_messages"
    verbose_name = "消息"

    def ready(self) -> None:
        """Follow the status of facilities: they lie below and cannot call the kernel."""
        from services.facilities.models import StatusChange
        from services.kernel.messages.following import tell_status_change

        post_save.connect(tell_status_change, sender=StatusChange, dispatch_uid="kernel_messages.status_change")
