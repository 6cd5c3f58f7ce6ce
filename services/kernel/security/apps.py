"""Django's entry for security; it tells people of alarms that lie below the kernel."""

from django.apps import AppConfig


class SecurityConfig(AppConfig):
    name = "services.kernel.security"
    label = "kernel_security"
    verbose_name = "密码安全"

    def ready(self) -> None:
        """Send a message whenever a row is found that is not as it was signed."""
        from services.crypto.signed_rows import told_of
        from services.kernel.security.alarms import send_alarm

        told_of(send_alarm)
