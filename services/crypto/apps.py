"""Django's entry for crypto; it has commands and the table of secrets."""

from django.apps import AppConfig


class CryptoConfig(AppConfig):
    name = "services.crypto"
    label = "crypto"
    verbose_name = "密码与密钥"
