"""Grants become scopes: what holds today, over what."""

import datetime

import pytest
from django.db import IntegrityError
from django.utils import timezone

from geo.errors import BadInput
from services.access.actions import declare_roles, grant_role
from services.access.models import Grant, Organisation, User
from services.access.queries import Caller, grants_today, scope_of

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)


@pytest.fixture
def head() -> User:
    declare_roles()
    return User.objects.create_user("head", password="not-a-real-one")


def site(name: str) -> Organisation:
    return Organisation.objects.create(name=name)


def test_a_head_of_two_sites_sees_both_and_no_third(head: User) -> None:
    sites = [site("东园"), site("西园")]
    site("别人的园")
    for one in sites:
        grant_role(user=head, role="institution_head", organisation=one, granted_by="test")
    scope = scope_of(Caller(head))
    assert scope.organisations == {one.pk for one in sites}
    assert scope.paths == ()
    assert scope.holds("facilities.report")
    assert not scope.holds("facilities.edit")


@pytest.mark.parametrize(
    ("from_day", "to_day", "holds"),
    [(0, None, True), (0, 0, True), (-9, -1, False), (1, None, False), (-9, 9, True)],
)
def test_a_grant_holds_from_its_first_day_to_its_last(
    head: User, from_day: int, to_day: int | None, holds: bool
) -> None:
    grant_role(
        user=head,
        role="institution_head",
        organisation=site("东园"),
        granted_by="test",
        from_day=TODAY() + from_day * DAY,
        to_day=None if to_day is None else TODAY() + to_day * DAY,
    )
    assert grants_today(head).exists() is holds


def test_a_grant_needs_exactly_one_thing_to_stand_on(head: User) -> None:
    with pytest.raises(BadInput, match="一个区域、一家机构或一个人"):
        grant_role(user=head, role="institution_head", granted_by="test")
    with pytest.raises(IntegrityError):
        Grant.objects.create(user=head, role_id="resident", from_day=TODAY(), granted_by="test")


def test_nobody_has_the_public_scope() -> None:
    scope = scope_of(Caller(None))
    assert (scope.paths, scope.organisations, scope.duties) == ((), frozenset(), frozenset())
