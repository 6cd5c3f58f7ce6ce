"""Sealed fields open for their own row and column only; keys rotate; the file of keys is guarded."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import Conflict, NotFound, TooLarge, Unavailable
from services.crypto.house import house_keys
from services.crypto.identifiers import new_id
from services.crypto.keystore import SIGNING, KeyStore, add_key, drop_key, make_keystore, read_keystore
from services.crypto.port import Purpose
from services.crypto.sealing import blind_index, blind_indexes, key_of, newest_id, seal, unseal

FIRST_FORM_INDEX = "d5a5b0d610247820233c00b7fed051d22e8d6f57beb95bf0a91aa385418ff73a"
OWNER = UUID("019308a0-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return make_keystore(tmp_path_factory.mktemp("keys") / "keystore")


@given(st.text(max_size=300), st.uuids())
def test_what_is_sealed_opens_again(keys: KeyStore, text: str, owner: UUID) -> None:
    text = text.encode("utf-8", "ignore").decode()
    sealed = seal(text, field="phone", owner=owner, keys=keys)
    assert unseal(sealed, field="phone", owner=owner, keys=keys) == text
    assert len(text) < 6 or text not in sealed


def test_the_same_text_is_sealed_differently_each_time(keys: KeyStore) -> None:
    assert len({seal("13800000000", field="phone", owner=OWNER, keys=keys) for _ in range(50)}) == 50


@given(st.data())
def test_a_changed_sign_is_refused(keys: KeyStore, data: st.DataObject) -> None:
    sealed = seal("13800000000", field="phone", owner=OWNER, keys=keys)
    at = data.draw(st.integers(0, len(sealed) - 1))
    sign = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda sign: sign != sealed[at]))
    with pytest.raises((Conflict, Unavailable)):
        unseal(sealed[:at] + sign + sealed[at + 1 :], field="phone", owner=OWNER, keys=keys)


@pytest.mark.parametrize(
    "text", ["", ":", "sm4g1", "sm4g1:abc", "sm4g1:abc:", "13800000000", "sm4g1:::", "sm4g1:x:电话"]
)
def test_rubbish_is_refused(keys: KeyStore, text: str) -> None:
    with pytest.raises((Conflict, Unavailable)):
        unseal(text, field="phone", owner=OWNER, keys=keys)


def test_a_sealed_text_belongs_to_its_field_and_owner(keys: KeyStore, tmp_path: Path) -> None:
    sealed = seal("13800000000", field="phone", owner=OWNER, keys=keys)
    for field, owner in (("identity", OWNER), ("phone", new_id())):
        with pytest.raises(Conflict) as refused:
            unseal(sealed, field=field, owner=owner, keys=keys)
        assert refused.value.code == "seal_broken"
    with pytest.raises(Unavailable) as unknown:
        unseal(sealed, field="phone", owner=OWNER, keys=make_keystore(tmp_path / "other"))
    assert unknown.value.code == "key_unknown"


def test_too_long_a_secret(keys: KeyStore) -> None:
    with pytest.raises(TooLarge):
        seal("字" * 4_001, field="note", owner=OWNER, keys=keys)


def test_the_newest_key_seals_and_old_ones_open(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    before = make_keystore(path)
    sealed = seal("13800000000", field="phone", owner=OWNER, keys=before)
    added = add_key(path)
    after = read_keystore(path)
    assert after.newest(Purpose.SEAL) == added
    assert unseal(sealed, field="phone", owner=OWNER, keys=after) == "13800000000"
    again = seal("13800000000", field="phone", owner=OWNER, keys=after)
    assert (key_of(sealed), key_of(again)) == (before.newest(Purpose.SEAL).id, added.id)
    assert newest_id(Purpose.SEAL, keys=after) == added.id


def test_equality_is_found_across_rotations_of_the_blind_key(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    before = make_keystore(path)
    add_key(path, Purpose.BLIND)
    after = read_keystore(path)
    newest, older = blind_indexes("13800000000", field="phone", keys=after)
    assert older == blind_index("13800000000", field="phone", keys=before)
    assert newest == blind_index("13800000000", field="phone", keys=after) != older


def test_files_of_the_first_form_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "keystore"
    path.write_text(
        json.dumps(
            {
                "form": 1,
                "keys": [{"id": "0a0b0c0d", "made_on": "2026-11-21", "key": "AAECAwQFBgcICQoLDA0ODw=="}],
                "blind": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            }
        )
    )
    path.chmod(0o600)
    old = read_keystore(path)
    sealed = "sm4g1:0a0b0c0d:"
    assert seal("1", field="phone", owner=OWNER, keys=old).startswith(sealed)
    # what the first form's code made of this key, field and text
    assert blind_index("13800000000", field="phone", keys=old) == FIRST_FORM_INDEX
    add_key(path)
    assert blind_index("13800000000", field="phone", keys=read_keystore(path)) == FIRST_FORM_INDEX


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_blind_index_knows_equality_and_nothing_else(keys: KeyStore, one: str, other: str) -> None:
    one, other = (each.encode("utf-8", "ignore").decode() for each in (one, other))
    found = blind_index(one, field="phone", keys=keys)
    assert (found == blind_index(other, field="phone", keys=keys)) == (one == other)
    assert found != blind_index(one, field="identity", keys=keys)


class TestFile:
    def test_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "keystore"
        make_keystore(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(path.parent) == ["keystore"]
        path.chmod(0o640)
        with pytest.raises(Unavailable) as open_to_others:
            read_keystore(path)
        assert open_to_others.value.code == "keystore_open"

    def test_it_is_never_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "keystore"
        assert make_keystore(path) == make_keystore(path)

    def test_all_who_try_at_once_get_the_same(self, tmp_path: Path) -> None:
        path, found = tmp_path / "keystore", []
        together = threading.Barrier(8)

        def make() -> None:
            together.wait()
            found.append(make_keystore(path))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": [], "blind": ""}', "rubbish"])
    def test_a_broken_file_says_so(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "keystore"
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(Unavailable) as broken:
            read_keystore(path)
        assert broken.value.code == "keystore_broken"

    def test_a_named_file_must_exist(self, tmp_path: Path, settings: Any) -> None:
        settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = tmp_path / "absent", False
        with pytest.raises(Unavailable) as missing:
            house_keys().notes()
        assert missing.value.code == "keystore_missing"
        assert not (tmp_path / "absent").exists()

    def test_a_rotation_beside_another_loses_no_key(self, tmp_path: Path) -> None:
        path = tmp_path / "keystore"
        make_keystore(path)
        threads = [threading.Thread(target=add_key, args=(path,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(read_keystore(path).keys) == 10

    def test_only_an_old_key_is_dropped(self, tmp_path: Path) -> None:
        path = tmp_path / "keystore"
        old = make_keystore(path).newest(Purpose.SEAL)
        new = add_key(path)
        with pytest.raises(Conflict):
            drop_key(path, new.id)
        with pytest.raises(NotFound):
            drop_key(path, "unknown")
        drop_key(path, old.id)
        assert [key.id for key in read_keystore(path).keys if key.purpose is Purpose.SEAL] == [new.id]

    def test_signing_keys_lie_apart_and_no_key_serves_two_purposes(self, tmp_path: Path) -> None:
        signing, sealing = make_keystore(tmp_path / "signing", SIGNING), make_keystore(tmp_path / "keystore")
        key_id, signature = signing.sign(b"data")
        assert signing.verify(key_id, b"data", signature)
        assert not signing.verify("unknown", b"data", signature)
        assert not sealing.verify(key_id, b"data", signature)
        for wrong in (lambda: signing.seal(b"1", b""), lambda: signing.macs(b"", b""), lambda: sealing.sign(b"")):
            with pytest.raises(Unavailable):
                wrong()
        for key in (*signing.keys, *sealing.keys):
            assert repr(key.secret)[2:20] not in repr(signing) + repr(sealing)

    @pytest.mark.django_db
    def test_the_command_lists_and_rotates(
        self, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.KEYSTORE, settings.KEYSTORE_MADE_HERE = tmp_path / "keystore", True
        settings.MEDIA_ROOT = tmp_path / "media"  # files of other tests are sealed by other keys
        call_command("keys")
        first = newest_id(Purpose.SEAL)
        sealed = seal("13800000000", field="phone", owner=OWNER)
        call_command("keys", "rotate", "seal", "--here")
        call_command("keys")
        out = capsys.readouterr().out
        assert out.count(first) == 2
        assert newest_id(Purpose.SEAL) != first  # a running process takes the new key by itself
        assert unseal(sealed, field="phone", owner=OWNER) == "13800000000"
        for key in json.loads((tmp_path / "keystore").read_text())["keys"]:
            assert key["key"] not in out
        (tmp_path / "keystore").chmod(0o644)
        for wrong in (["list"], ["rotate"], ["reseal", "--here"]):
            with pytest.raises(CommandError, match="权限|没有完成|密钥库"):
                call_command("keys", *wrong)


def test_identifiers_are_version_7_and_sort_by_moment() -> None:
    made = [new_id() for _ in range(2_000)]
    assert len(set(made)) == 2_000
    assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
    assert [each.int >> 80 for each in made] == sorted(each.int >> 80 for each in made)
