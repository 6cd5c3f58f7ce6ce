"""Secrets of rows elsewhere: kept sealed, found by equality, never readable in the table or a log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import connection

from geo.errors import Conflict
from services.crypto.actions import drop_secrets, keep_secrets
from services.crypto.identifiers import new_id
from services.crypto.keystore import make_keystore
from services.crypto.models import Secret
from services.crypto.queries import owners_with, reveal_secrets

pytestmark = pytest.mark.django_db
NUMBER = "310101201809150018"


@pytest.fixture(autouse=True)
def keystore(tmp_path: Any, settings: Any) -> Any:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    return settings.KEYSTORE


def test_what_is_kept_comes_back_and_stands_nowhere_in_plain(caplog: Any) -> None:
    owner = new_id()
    with caplog.at_level(logging.DEBUG):
        keep_secrets(owner=owner, values={"identity": NUMBER, "note": "过敏：花生"})
    assert reveal_secrets(owner=owner) == {"identity": NUMBER, "note": "过敏：花生"}
    assert reveal_secrets(owner=owner, fields=["note"]) == {"note": "过敏：花生"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_to_string(array_agg(s::text), ' ') FROM crypto_secret s")
        stored = cursor.fetchone()[0]
    said = caplog.text + stored + "".join(f"{row} {row!r} {vars(row)}" for row in Secret.objects.all())
    assert NUMBER not in said
    assert "花生" not in said


def test_equal_values_are_found_by_field_and_others_are_not() -> None:
    one, other, third = new_id(), new_id(), new_id()
    keep_secrets(owner=one, values={"identity": NUMBER})
    keep_secrets(owner=other, values={"children.0.identity": NUMBER}, found_by={"children.0.identity": "identity"})
    keep_secrets(owner=third, values={"identity": NUMBER}, found_by={"identity": ""})
    assert set(owners_with(field="identity", value=NUMBER)) == {other, one}
    assert owners_with(field="phone", value=NUMBER) == []
    assert owners_with(field="identity", value=NUMBER[:-1] + "X") == []
    assert owners_with(field="identity", value="") == []


def test_keeping_again_replaces_and_an_empty_value_drops() -> None:
    owner = new_id()
    keep_secrets(owner=owner, values={"a": "1", "b": "2"})
    keep_secrets(owner=owner, values={"a": "3", "b": ""})
    assert reveal_secrets(owner=owner) == {"a": "3"}
    assert drop_secrets(owner=owner) == 1
    assert reveal_secrets(owner=owner) == {}


def test_a_row_moved_to_another_owner_does_not_open() -> None:
    owner, thief = new_id(), new_id()
    keep_secrets(owner=owner, values={"a": "1"})
    Secret.objects.update(owner=thief)
    with pytest.raises(Conflict):
        reveal_secrets(owner=thief)
