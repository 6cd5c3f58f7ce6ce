"""A family, staff of its district, and an institution for elders with somebody who speaks for it."""

from __future__ import annotations

import pytest

from services.access.actions import grant_role
from services.access.models import Organisation, User, UserKind
from services.facilities.models import Facility
from tests.services.modules.finder.conftest import Family, family, places  # noqa: F401 (fixtures)

WORDS = "饭菜软，不咸。<script>alert(1)</script> 找小李 13900001111"


@pytest.fixture
def home(family: Family, places: dict[str, Facility]) -> Facility:  # noqa: F811
    """Return a care home of 黄浦 that belongs to an organisation; the account 院长 speaks for it."""
    row = Facility.objects.get(pk=places["care_home"].pk)
    row.organisation = Organisation.objects.create(name="银杏树养老服务中心", region=row.region)
    row.save()
    head = User.objects.create(username="yuanzhang", display_name="院长", kind=UserKind.STAFF)
    grant_role(user=head, role="institution_head", granted_by="test", organisation=row.organisation)
    return row


def resident(name: str, display: str) -> User:
    return User.objects.create(username=name, display_name=display, kind=UserKind.RESIDENT)
