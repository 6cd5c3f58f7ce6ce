"""API keys: shown once, kept as a digest, refused in one voice."""

import pytest

from geo.errors import BadInput, NotFound, Unauthenticated
from services.access.actions import KEYS_PER_USER, create_api_key, revoke_api_key
from services.access.models import ApiKey, AuditEntry, User
from services.access.queries import api_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def developer() -> User:
    return User.objects.create_user("developer", password="not-a-real-one")


def test_a_key_opens_and_is_kept_only_as_a_digest(developer: User) -> None:
    key, token = create_api_key(user=developer, name="小程序")
    assert api_key(token) == key
    stored = ApiKey.objects.values().get()
    assert all(token not in str(value) for value in stored.values())


def test_a_stopped_a_wrong_and_an_unknown_key_are_refused_in_the_same_words(developer: User) -> None:
    key, token = create_api_key(user=developer, name="小程序")
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    _, stopped = create_api_key(user=developer, name="旧的")
    revoke_api_key(user=developer, prefix=stopped[:11])
    words = set()
    for bad in (wrong, stopped, "qt_00000000_x", "", "x" * 5000):
        with pytest.raises(Unauthenticated) as refused:
            api_key(bad)
        words.add((refused.value.code, refused.value.message))
    assert len(words) == 1


def test_nobody_stops_the_key_of_another(developer: User) -> None:
    other = User.objects.create_user("other", password="not-a-real-one")
    key, token = create_api_key(user=developer, name="小程序")
    with pytest.raises(NotFound):
        revoke_api_key(user=other, prefix=key.prefix)
    assert api_key(token) == key


def test_an_account_has_at_most_ten_live_keys(developer: User) -> None:
    for number in range(KEYS_PER_USER):
        create_api_key(user=developer, name=f"第 {number} 个")
    with pytest.raises(BadInput, match="最多"):
        create_api_key(user=developer, name="多出来的")


def test_making_and_stopping_a_key_is_audited_without_the_key(developer: User) -> None:
    key, token = create_api_key(user=developer, name="小程序")
    revoke_api_key(user=developer, prefix=key.prefix)
    acts = AuditEntry.objects.order_by("id").values_list("act", "actor", "detail")
    assert [(act, actor) for act, actor, _ in acts] == [("key_created", "developer"), ("key_revoked", "developer")]
    assert all(token not in str(detail) for *_, detail in acts)
