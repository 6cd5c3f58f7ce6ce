"""Certificates of SM2 keys as openssl writes and reads them, and everything that is none."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest

from services.crypto.certificates import CertificateRefused, issuer_among, read_certificate, read_request
from services.crypto.sm2 import new_key
from services.integrations.gateway.authority import Authority, request_of

IDENTITY = "distid:1234567812345678"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def openssl(folder: Path, *words: str) -> str:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


class TestAgreement:
    @needs_openssl
    def test_openssl_trusts_what_the_authority_issues(self, authority: Authority, tmp_path: Path) -> None:
        (tmp_path / "root.der").write_bytes(authority.root.der)
        for encrypts in (False, True):
            (tmp_path / "one.der").write_bytes(authority.pair("张三", encrypts=encrypts).certificate.der)
            for name in ("root", "one"):
                openssl(tmp_path, "x509", "-inform", "DER", "-in", f"{name}.der", "-out", f"{name}.pem")
            said = openssl(
                tmp_path, "verify", "-x509_strict", "-vfyopt", IDENTITY, "-CAfile", "root.pem", "one.pem"
            )  # fmt: skip
            assert "one.pem: OK" in said

    @needs_openssl
    def test_we_read_what_openssl_makes(self, tmp_path: Path) -> None:
        openssl(tmp_path, "genpkey", "-algorithm", "SM2", "-out", "key.pem")
        openssl(
            tmp_path, "req", "-new", "-x509", "-key", "key.pem", "-sm3", "-sigopt", IDENTITY, "-subj", "/C=CN/CN=root",
            "-days", "10", "-outform", "DER", "-out", "root.der",
        )  # fmt: skip
        root = read_certificate((tmp_path / "root.der").read_bytes())
        assert (root.common_name, root.is_authority, root.is_signed_by(root)) == ("root", True, True)
        assert root.not_after - root.not_before == dt.timedelta(days=10)
        openssl(
            tmp_path, "req", "-new", "-key", "key.pem", "-sm3", "-sigopt", IDENTITY, "-subj", "/CN=u-1", "-outform",
            "DER", "-out", "request.der",
        )  # fmt: skip
        request = read_request((tmp_path / "request.der").read_bytes())
        assert (request.common_name, request.public) == ("u-1", root.public)

    @needs_openssl
    def test_openssl_reads_our_requests(self, tmp_path: Path) -> None:
        (tmp_path / "request.der").write_bytes(request_of("u-1", new_key()))
        said = openssl(
            tmp_path, "req", "-inform", "DER", "-in", "request.der", "-verify", "-noout", "-vfyopt", IDENTITY
        )  # fmt: skip
        assert "verify OK" in said


def test_a_chain_is_of_its_authority_and_of_no_other_of_the_same_name(authority: Authority) -> None:
    one, stranger = authority.pair("one").certificate, Authority()
    assert stranger.root.subject == authority.root.subject
    assert issuer_among(one, [stranger.root]) is None
    assert issuer_among(one, [stranger.root, authority.root]) == authority.root
    assert not stranger.pair("one").certificate.is_signed_by(authority.root)


def test_who_is_no_authority_signs_nobody(authority: Authority) -> None:
    user = authority.pair("模拟认证中心")  # an authority by its name only
    assert not user.certificate.is_authority
    assert not authority.pair("two").certificate.is_signed_by(user.certificate)


def test_days_and_uses(authority: Authority) -> None:
    begins = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    signing = authority.pair("one", begins=begins, days=10).certificate
    encryption = authority.pair("one", encrypts=True).certificate
    assert (signing.signs, signing.encrypts, encryption.signs, encryption.encrypts) == (True, False, False, True)
    days = [signing.covers(begins + dt.timedelta(days=day)) for day in (-1, 0, 5, 10, 11)]
    assert days == [False, True, True, True, False]
    assert signing.fingerprint != encryption.fingerprint


def test_every_changed_byte_is_refused_or_breaks_the_signature(authority: Authority) -> None:
    der = authority.pair("one").certificate.der
    for at in range(len(der)):
        changed = der[:at] + bytes((der[at] ^ 1,)) + der[at + 1 :]
        try:
            found = read_certificate(changed)
        except CertificateRefused:
            continue
        assert not found.is_signed_by(authority.root), at


def test_a_request_is_signed_by_the_key_it_names() -> None:
    made = request_of("one", new_key())
    assert read_request(made).common_name == "one"
    refused = 0
    for at in range(0, len(made), 5):
        try:
            read_request(made[:at] + bytes((made[at] ^ 1,)) + made[at + 1 :])
        except CertificateRefused:
            refused += 1
    assert refused == len(range(0, len(made), 5))


@pytest.mark.parametrize("rubbish", [b"", b"\x30\x00", b"rubbish", b"\x30\x82\xff\xff", b"0" * 9_000])
def test_rubbish(rubbish: bytes) -> None:
    for read in (read_certificate, read_request):
        with pytest.raises(CertificateRefused):
            read(rubbish)


@needs_openssl
def test_another_algorithm_is_refused(tmp_path: Path) -> None:
    openssl(
        tmp_path, "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-subj", "/CN=root",
        "-outform", "DER", "-out", "root.der",
    )  # fmt: skip
    with pytest.raises(CertificateRefused):
        read_certificate((tmp_path / "root.der").read_bytes())
