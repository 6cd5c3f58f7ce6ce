"""Who asks for a page."""

from __future__ import annotations

from django.http import HttpRequest

from services.access.models import User


def user_of(request: HttpRequest) -> User:
    """Return the account behind a page that asks for one."""
    assert isinstance(request.user, User)
    return request.user
