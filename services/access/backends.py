"""Whoever's password or standing was altered past the platform does not sign in by it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from services.access.models import User
from services.access.signed import ACCOUNT
from services.crypto.signed_rows import holds


class SignedAccounts:
    """Stands before the backend that checks passwords, and stops it for an account that is not as it was signed.

    It has no ``get_user``: nobody's session is its own.
    """

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **_: Any) -> None:
        """Raise ``PermissionDenied`` for such an account; who signs in is another backend's answer."""
        user = User.objects.filter(username=username).first() if username else None
        if user is not None and not holds(ACCOUNT, user):
            raise PermissionDenied
