"""Keys in a backup: only sealed, only by a passphrase, and joined with those that are here when they come back."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from services.crypto.keystore import add_key, make_keystore, read_keystore
from tests.run.conftest import House

PASSPHRASE = "correct horse battery staple"


def test_a_backup_brings_the_keys_back_by_its_passphrase_only(house: House, tmp_path: Path) -> None:
    house.run("services")
    keystore, file = house.state / "keystore", tmp_path / "copy.tar"
    made = make_keystore(keystore)
    assert "without keys" in house.run("backup", str(file)).stderr
    with tarfile.open(file) as archive:
        assert "keys.sealed" not in archive.getnames()
    house.settings["QUANTU_BACKUP_PASSPHRASE"] = "short"
    assert "12 characters" in house.run("backup", str(file), code=1).stderr
    house.settings["QUANTU_BACKUP_PASSPHRASE"] = PASSPHRASE
    assert "with the sealed keys" in house.run("backup", str(file)).stderr
    everything = file.read_bytes()
    for key in json.loads(keystore.read_text())["keys"]:
        assert key["key"].encode() not in everything

    keystore.unlink()
    house.settings["QUANTU_BACKUP_PASSPHRASE"] = "another passphrase"
    assert "do not open" in house.run("restore", str(file), "--force", code=1).stderr
    assert not keystore.exists()
    del house.settings["QUANTU_BACKUP_PASSPHRASE"]
    house.run("restore", str(file), "--force")
    assert not keystore.exists()

    later = make_keystore(keystore)
    newest = add_key(keystore)
    (house.state / "log-heads").write_text("audit 1 1 00\n")
    house.settings["QUANTU_BACKUP_PASSPHRASE"] = PASSPHRASE
    house.run("restore", str(file), "--force")
    joined = read_keystore(keystore)
    assert set(joined.keys) == {*made.keys, *later.keys, newest}
    assert joined.newest(newest.purpose) == newest  # what is in use here stays in use
    assert keystore.stat().st_mode & 0o077 == 0
    assert not (house.state / "log-heads").exists()
    assert list(house.state.glob("log-heads.before-*"))
    house.run("restore", str(file), "--force")
    assert read_keystore(keystore) == joined


def test_the_doctor_sees_keys_that_others_may_read(house: House) -> None:
    make_keystore(house.state / "keystore").notes()
    (house.state / "keystore").chmod(0o644)
    assert "others may read the keystore" in house.run("doctor", code=1).stdout
    (house.state / "keystore").chmod(0o600)
    assert "ok       files of keys" in house.run("doctor", code=1).stdout
