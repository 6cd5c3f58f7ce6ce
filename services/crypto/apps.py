"""Django's entry for crypto; it has commands and the table of secrets."""

from django.apps import AppConfig


class CryptoConfig(AppConfig):
    name = "services.crypto"
    label = "crypto"
    verbose_name = "密码与密钥"

    def ready(self) -> None:
        """Seal what is kept of people's files from now on."""
        from geo.kept import kept_by
        from services.crypto.keeping import SealingKeeper

        kept_by(SealingKeeper())
