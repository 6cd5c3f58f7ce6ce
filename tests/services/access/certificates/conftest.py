"""The gateway that runs, people, and what came of their telephones."""

from __future__ import annotations

import pytest

from services.access.actions import declare_roles, grant_role
from services.access.models import Organisation, User
from tests.services.access.certificates.handset import PASSWORD
from tests.services.integrations.gateway.conftest import gateway, telephone

__all__ = ["gateway", "telephone"]


@pytest.fixture
def clerk() -> User:
    declare_roles()
    user = User.objects.create_user("clerk", password=PASSWORD, display_name="李办事")
    grant_role(user=user, role="street_clerk", organisation=Organisation.objects.create(name="街道"), granted_by="x")
    return user


@pytest.fixture
def other() -> User:
    return User.objects.create_user("other", password=PASSWORD)
