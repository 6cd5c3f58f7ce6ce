"""Grants, roles, accounts and keys altered past the platform give nothing, raise an alarm once, and are named by a check."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory

from geo.errors import Unauthenticated
from geo.regions.models import Region
from services.access.actions import create_api_key, declare_roles, grant_role, stop_keys
from services.access.models import AuditEntry, Grant, User
from services.access.queries import Caller, api_key, scope_of
from services.access.signed import ACCOUNT, API_KEY, GRANT, ROLE, SIGNED
from services.crypto import signed_rows
from services.crypto.models import RowSignature
from services.crypto.signed_rows import check_signed_rows, sign_rows

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Forget what this process verified, as another process never has."""
    signed_rows._known.clear()
    cache.clear()


@pytest.fixture
def user() -> User:
    declare_roles()
    return User.objects.create_user("keeper", password=PASSWORD)


@pytest.fixture
def grant(user: User) -> Grant:
    return grant_role(user=user, role="resident", granted_by="t", person_id=7)


def sql(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def signed_in(password: str) -> bool:
    return authenticate(RequestFactory().post("/sign-in"), username="keeper", password=password) is not None


def duties(user: User) -> frozenset[str]:
    return scope_of(Caller(user=user)).duties


def alarms() -> list[str]:
    return [entry.detail["code"] for entry in AuditEntry.objects.filter(act="tampered").order_by("id")]


def test_what_the_platform_wrote_holds(grant: Grant, user: User) -> None:
    assert "self.view" in duties(user)
    assert alarms() == []
    for table in SIGNED:
        looked_at, findings = check_signed_rows(table)
        assert findings == []
        assert looked_at == table.kind()._default_manager.count()


TAMPERS = {
    "more": "UPDATE access_grant SET role_id = 'city_manager' WHERE id = %s",
    "elsewhere": "UPDATE access_grant SET person_id = 8 WHERE id = %s",
    "longer": "UPDATE access_grant SET to_day = '2099-01-01' WHERE id = %s",
    "earlier": "UPDATE access_grant SET from_day = '2020-01-01' WHERE id = %s",
    "another's": "UPDATE access_grant SET granted_by = 'mayor' WHERE id = %s",
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS)
def test_a_grant_altered_by_hand_gives_nothing_and_raises_one_alarm(grant: Grant, user: User, tamper: str) -> None:
    assert duties(user)
    sql(tamper, grant.pk)
    assert duties(user) == frozenset()
    assert scope_of(Caller(user=user)).persons == frozenset()
    assert alarms() == ["row_changed"]
    (finding,) = check_signed_rows(GRANT)[1]
    assert (finding.code, finding.row) == ("row_changed", grant.pk)
    assert "keeper" in finding.text


def test_a_grant_put_in_by_hand_gives_nothing(grant: Grant, user: User) -> None:
    sql(
        "INSERT INTO access_grant (user_id, role_id, person_id, from_day, granted_by, granted_at, ended_by)"
        " VALUES (%s, 'city_manager', 7, '2020-01-01', 't', now(), '')",
        user.pk,
    )
    assert duties(user) == {"self.view"}
    assert alarms() == ["row_unsigned"]


def test_a_grant_moved_to_another_account_gives_nothing(grant: Grant) -> None:
    thief = User.objects.create_user("thief", password=PASSWORD)
    sql("UPDATE access_grant SET user_id = %s WHERE id = %s", thief.pk, grant.pk)
    assert duties(thief) == frozenset()


def test_a_signature_of_another_row_or_of_rubbish_does_not_count(grant: Grant, user: User) -> None:
    other = grant_role(user=user, role="city_manager", granted_by="t", person_id=9)
    sql("UPDATE access_grant SET role_id = 'city_manager' WHERE id = %s", grant.pk)
    theirs, ours = (RowSignature.objects.get(kind="grant", row=row.pk) for row in (other, grant))
    grant.refresh_from_db()
    for signature in (bytes(theirs.signature), b"", b"rubbish"):
        RowSignature.objects.filter(pk=ours.pk).update(digest=GRANT.digest(grant), signature=signature)
        assert check_signed_rows(GRANT)[1][0].code == "row_forged"
    other.delete()
    signed_rows._known.clear()
    assert duties(user) == frozenset()


def test_a_role_with_more_duties_gives_nothing_until_it_is_declared_again(grant: Grant, user: User) -> None:
    sql("UPDATE access_role SET duties = duties || '{settings.write}' WHERE key = 'resident'")
    assert duties(user) == frozenset()
    assert [finding.row for finding in check_signed_rows(ROLE)[1]] == ["resident"]
    declare_roles()
    assert duties(user) == {"self.view"}


def test_a_row_taken_away_by_hand_is_named_and_one_deleted_by_the_platform_is_not(grant: Grant, user: User) -> None:
    mine = grant_role(user=user, role="resident", granted_by="t", person_id=8)
    mine.delete()
    assert check_signed_rows(GRANT)[1] == []
    sql("DELETE FROM access_grant WHERE id = %s", grant.pk)
    (finding,) = check_signed_rows(GRANT)[1]
    assert (finding.code, finding.row) == ("row_removed", str(grant.pk))


def test_changing_a_grant_by_the_platform_signs_it_anew(grant: Grant, user: User) -> None:
    grant.granted_by = "somebody else"
    grant.save()
    assert duties(user)
    assert RowSignature.objects.filter(kind="grant", row=grant.pk).count() == 2
    grant.save()  # nothing changed: nothing to sign
    assert RowSignature.objects.filter(kind="grant", row=grant.pk).count() == 2


def test_who_was_verified_costs_no_query_again(grant: Grant, user: User, django_assert_num_queries: Any) -> None:
    before = duties(user)
    with django_assert_num_queries(1):  # the grants with their roles
        assert duties(user) == before


class TestAccounts:
    def test_a_password_put_in_by_hand_does_not_sign_in(self, user: User) -> None:
        assert signed_in(PASSWORD)
        known = User.objects.create_user("other", password="another password")
        sql("UPDATE access_user SET password = %s WHERE username = 'keeper'", known.password)
        assert not signed_in("another password")
        assert alarms() == ["row_changed"]
        assert [finding.text for finding in check_signed_rows(ACCOUNT)[1]] == [
            "账号“keeper”与签名不符，可能被绕过系统改动"
        ]

    def test_a_stopped_account_woken_by_hand_stays_stopped(self, user: User) -> None:
        user.is_active = False
        user.save()
        sql("UPDATE access_user SET is_active = true WHERE username = 'keeper'")
        assert not signed_in(PASSWORD)

    def test_signing_in_signs_nothing(self, user: User, client: Any) -> None:
        before = RowSignature.objects.count()
        client.force_login(user)
        assert User.objects.get().last_login
        assert RowSignature.objects.count() == before

    def test_a_key_of_a_program_given_to_another_is_refused(self, user: User) -> None:
        key, token = create_api_key(user=user, name="表格")
        assert api_key(token) == key
        thief = User.objects.create_user("thief", password=PASSWORD)
        sql("UPDATE access_apikey SET user_id = %s WHERE id = %s", thief.pk, key.pk)
        with pytest.raises(Unauthenticated):
            api_key(token)

    def test_a_key_that_was_stopped_is_not_brought_back_by_hand(self, user: User) -> None:
        key, token = create_api_key(user=user, name="表格")
        assert stop_keys([user]) == 1
        assert check_signed_rows(API_KEY) == (1, [])
        sql("UPDATE access_apikey SET revoked_at = NULL WHERE id = %s", key.pk)
        with pytest.raises(Unauthenticated):
            api_key(token)


def test_rows_written_past_save_are_signed_by_hand(user: User) -> None:
    region = Region.objects.create()
    grants = Grant.objects.bulk_create(
        Grant(user=user, role_id="resident", region=region, from_day="2020-01-01", granted_by="t") for _ in range(3)
    )
    assert duties(user) == frozenset()
    assert (sign_rows(GRANT, Grant.objects.all()), sign_rows(GRANT, grants)) == (3, 0)
    assert duties(user) == {"self.view"}
