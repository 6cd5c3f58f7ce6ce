"""One contract, faced by the file of keys and by the remote service alike; and what becomes of a remote service that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from geo.errors import CityError, Conflict, NotFound, Unavailable
from services.crypto.actions import keep_secrets
from services.crypto.house import FileKeys, house_keys
from services.crypto.identifiers import new_id
from services.crypto.models import Secret
from services.crypto.port import KeyService, Purpose
from services.crypto.primitives import Tampered
from services.crypto.queries import owners_with, reveal_secrets
from services.crypto.sm2 import read_public_key
from services.integrations.faults import AnswerUnclear, NotConnected, NotReached
from services.integrations.keyservice.client import RemoteKeys, connected_keys
from services.integrations.keyservice.simulator import Mood, Simulator


@pytest.fixture
def service(tmp_path: Path, settings: Any) -> Iterator[Simulator]:
    cache.clear()
    with Simulator(app="quantu", secret="s" * 40, folder=tmp_path / "remote", slow_s=1.2) as simulator:
        settings.KEY_SERVICE_URL, settings.KEY_SERVICE_APP = simulator.url, "quantu"
        settings.KEY_SERVICE_SECRET, settings.KEY_SERVICE_TIMEOUT_S = "s" * 40, 0.5
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        yield simulator
    cache.clear()


@pytest.fixture(params=["files", "remote"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> KeyService:
    if request.param == "files":
        return FileKeys(tmp_path / "sealing", tmp_path / "signing", True, True)
    simulator: Simulator = request.getfixturevalue("service")
    assert isinstance(house_keys(), RemoteKeys)
    assert simulator.url
    return house_keys()


class TestContract:
    @pytest.mark.parametrize("plain", [b"", b"1", "字".encode() * 1_000])
    def test_what_is_sealed_opens_in_its_surroundings_only(self, keys: KeyService, plain: bytes) -> None:
        key_id, sealed = keys.seal(plain, b"here")
        assert keys.open(key_id, sealed, b"here") == plain
        assert keys.seal(plain, b"here")[1] != sealed
        for changed, place in ((sealed[:-1] + bytes((sealed[-1] ^ 1,)), b"here"), (sealed, b"there"), (b"", b"here")):
            with pytest.raises(Tampered):
                keys.open(key_id, changed, place)

    def test_a_key_nobody_has(self, keys: KeyService) -> None:
        _, sealed = keys.seal(b"1", b"")
        for unknown in ("0" * 8, "../sealing", "锁", ""):
            with pytest.raises(Unavailable) as refused:
                keys.open(unknown, sealed, b"")
            assert refused.value.code == "key_unknown"
        with pytest.raises(NotFound):
            keys.drop_key("0" * 8)

    def test_signatures(self, keys: KeyService) -> None:
        key_id, signature = keys.sign(b"data")
        assert keys.verify(key_id, b"data", signature)
        public = next(note.public for note in keys.notes() if note.id == key_id)
        assert read_public_key(public).verify(b"data", signature)
        assert not keys.verify(key_id, b"other", signature)
        assert not keys.verify("0" * 8, b"data", signature)
        assert not keys.verify("锁", b"data", signature)
        assert not keys.verify(key_id, b"data", b"")
        assert not keys.verify(key_id, b"data", b"rubbish")

    def test_rotation_of_each_purpose(self, keys: KeyService) -> None:
        key_id, sealed = keys.seal(b"1", b"")
        signer, signature = keys.sign(b"1")
        (first,) = keys.macs(b"label", b"data")
        for purpose in Purpose:
            made = keys.add_key(purpose)
            assert [note.id for note in keys.notes() if note.purpose is purpose and note.newest] == [made.id]
            with pytest.raises(Conflict):
                keys.drop_key(made.id)
        assert keys.open(key_id, sealed, b"") == b"1"
        assert keys.verify(signer, b"1", signature)
        newest, older = keys.macs(b"label", b"data")
        assert older == first
        assert newest[1] != first[1]
        assert keys.seal(b"1", b"")[0] != key_id
        keys.drop_key(key_id)
        with pytest.raises(Unavailable):
            keys.open(key_id, sealed, b"")

    def test_a_mac_is_of_its_label_and_data(self, keys: KeyService) -> None:
        told = {
            keys.macs(label, data)[0][1] for label, data in ((b"a", b"b"), (b"ab", b""), (b"", b"ab"), (b"b", b"a"))
        }
        assert len(told) == 4
        assert keys.macs(b"a", b"b") == keys.macs(b"a", b"b")


@pytest.mark.django_db
class TestAccidents:
    @pytest.mark.parametrize(
        ("mood", "fault"),
        [
            (Mood.SLOW, AnswerUnclear),
            (Mood.SILENT, AnswerUnclear),
            (Mood.GARBAGE, AnswerUnclear),
            (Mood.WRONG_SHAPE, AnswerUnclear),
            (Mood.CHANGED, AnswerUnclear),
            (Mood.BROKEN, Unavailable),
        ],
    )
    def test_nothing_is_half_written_and_the_fault_has_a_name(
        self, service: Simulator, mood: Mood, fault: type[CityError]
    ) -> None:
        owner = new_id()
        keep_secrets(owner=owner, values={"a": "before", "b": "before"})
        stored = list(Secret.objects.order_by("field").values_list("ciphertext", "blind"))
        service.mood = mood
        begun = time.monotonic()
        with pytest.raises(fault) as refused:
            keep_secrets(owner=owner, values={"a": "after", "b": "after"})
        assert refused.value.code
        assert "密码服务平台" in refused.value.message
        assert time.monotonic() - begun < 20
        assert list(Secret.objects.order_by("field").values_list("ciphertext", "blind")) == stored
        service.mood = Mood.WELL
        cache.clear()
        assert reveal_secrets(owner=owner) == {"a": "before", "b": "before"}

    def test_one_busy_answer_is_asked_again(self, service: Simulator) -> None:
        service.mood = Mood.BUSY_ONCE
        owner = new_id()
        keep_secrets(owner=owner, values={"a": "1"})
        assert owners_with(field="a", value="1") == [owner]

    def test_making_a_key_is_never_asked_twice(self, service: Simulator) -> None:
        service.mood = Mood.SLOW
        with pytest.raises(AnswerUnclear):
            house_keys().add_key(Purpose.SEAL)
        assert service.acts["add"] == 1

    def test_a_service_that_is_down_rests_after_some_failures(self, service: Simulator, settings: Any) -> None:
        settings.KEY_SERVICE_URL = "http://127.0.0.1:9"
        codes = []
        for _ in range(7):
            with pytest.raises(NotReached) as refused:
                house_keys().add_key(Purpose.SEAL)
            codes.append(refused.value.code)
        assert codes == ["not_reached"] * 5 + ["resting"] * 2

    def test_another_secret_is_refused(self, service: Simulator, settings: Any) -> None:
        settings.KEY_SERVICE_SECRET = "t" * 40
        with pytest.raises(Unavailable) as refused:
            house_keys().sign(b"1")
        assert refused.value.code == "key_service_refused"
        assert service.acts["sign"] == 0

    @pytest.mark.parametrize(
        ("name", "value"), [("KEY_SERVICE_APP", ""), ("KEY_SERVICE_SECRET", ""), ("INSIDE_HOSTS", [])]
    )
    def test_half_a_configuration_sends_nothing(self, service: Simulator, settings: Any, name: str, value: Any) -> None:
        setattr(settings, name, value)
        with pytest.raises(NotConnected):
            house_keys()
        assert not service.acts

    def test_without_a_configuration_the_files_hold_the_keys(self, settings: Any) -> None:
        settings.KEY_SERVICE_URL = ""
        assert connected_keys() is None
        assert isinstance(house_keys(), FileKeys)
