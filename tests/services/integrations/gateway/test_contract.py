"""The gateway by its contract, over real HTTP; and what becomes of a gateway that is slow, away, or lies."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import CityError, Conflict, Unavailable
from services.crypto.certificates import read_certificate
from services.crypto.primitives import Tampered
from services.crypto.sm2 import new_key
from services.integrations.faults import AnswerUnclear, NotConnected, NotReached
from services.integrations.gateway.authority import Authority, request_of
from services.integrations.gateway.client import Asked, Gateway, connected_gateway, is_connected
from services.integrations.gateway.container import Container, Shown, SiteRefused
from services.integrations.gateway.schemas import State, Verdict
from services.integrations.gateway.simulator import Mood, Simulator
from services.integrations.gateway.texts import DOWN, UP, SessionKeys
from tests.services.integrations.gateway.conftest import Telephones, shown


def asked_of(phone: Container, purpose: Any = "sign_in") -> Asked:
    return connected_gateway().challenge(purpose, host=phone.host, random=phone.random())


def verdict(phone: Container, asked: Asked, signature: bytes | None = None) -> Verdict:
    assert phone.certificate
    signature = phone.sign(shown(asked)) if signature is None else signature
    return connected_gateway().verify(asked.question, phone.certificate, signature)


def session_of(phone: Container) -> str:
    asked = asked_of(phone, "session")
    secret, sealed = phone.seal_secret(shown(asked))
    assert phone.certificate
    found, opened = connected_gateway().open_session(
        asked.question, phone.certificate, phone.sign(shown(asked), sealed), sealed
    )
    assert found is Verdict.GOOD
    assert opened
    phone.begin(shown(asked), opened.session, secret, sealed, opened.signature)
    return opened.session


class TestChallenges:
    def test_both_sides_prove_who_they_are(self, telephone: Telephones) -> None:
        phone = telephone()
        assert verdict(phone, asked_of(phone)) is Verdict.GOOD

    def test_an_answer_counts_once(self, telephone: Telephones) -> None:
        phone = telephone()
        asked = asked_of(phone)
        signature = phone.sign(shown(asked))
        told = [verdict(phone, asked, signature) for _ in range(2)]
        assert told == [Verdict.GOOD, Verdict.CHALLENGE_UNKNOWN]

    def test_a_certificate_of_each_kind_that_does_not_count(self, gateway: Simulator, telephone: Telephones) -> None:
        now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
        expired, coming = telephone(begins=now - 10 * day, days=9), telephone(begins=now + day)
        revoked, foreign = telephone(), telephone()
        assert revoked.certificate
        assert connected_gateway().revoke(revoked.certificate.fingerprint) is State.REVOKED
        foreign.install(Authority().issue("somebody", foreign.key.public).der)
        told = [verdict(each, asked_of(each)) for each in (expired, coming, revoked, foreign)]
        assert told == [Verdict.EXPIRED, Verdict.NOT_YET_VALID, Verdict.REVOKED, Verdict.UNTRUSTED]
        assert gateway.acts["verify"] == 4

    def test_a_signature_is_of_its_question_purpose_and_key(self, telephone: Telephones) -> None:
        phone, other = telephone(), telephone()
        asked = asked_of(phone)
        assert verdict(phone, asked, other.sign(shown(asked))) is Verdict.SIGNATURE_WRONG
        asked, before = asked_of(phone), asked_of(phone)
        assert verdict(phone, asked, phone.sign(shown(before))) is Verdict.SIGNATURE_WRONG
        asked, bind = asked_of(phone), asked_of(phone, "bind")
        assert verdict(phone, asked, phone.sign(shown(bind))) is Verdict.SIGNATURE_WRONG

    def test_a_telephone_signs_for_no_other_site(self, telephone: Telephones) -> None:
        phone = telephone()
        asked = asked_of(phone)
        good = shown(asked)
        other = Authority().pair("quantu")
        for wrong in (
            Shown(asked.question, other.certificate.der, good.encryption, good.signature),
            Shown(asked.question, good.site, other.certificate.der, good.signature),
            Shown(asked_of(phone).question, good.site, good.encryption, good.signature),
        ):
            with pytest.raises(SiteRefused):
                phone.sign(wrong)
        phone.host = "elsewhere"
        with pytest.raises(SiteRefused):
            phone.sign(good)


class TestCertificates:
    def test_one_is_issued_for_the_key_of_a_request_listed_and_revoked(self, gateway: Simulator) -> None:
        key, house = new_key(), connected_gateway()
        made, authorities = house.issue("u-1", request_of("whoever", key))
        assert (made.common_name, made.public) == ("u-1", key.public)
        assert made.is_signed_by(authorities[0])
        assert [each.state for each in house.certificates_of("u-1")] == [State.GOOD]
        assert house.certificates_of("u-2") == ()
        assert house.status(made.fingerprint) is State.GOOD
        assert house.revoke(made.fingerprint) is State.REVOKED
        assert [each.state for each in house.certificates_of("u-1")] == [State.REVOKED]
        assert house.status("0" * 64) is State.UNKNOWN

    def test_a_request_that_its_key_did_not_sign_gets_none(self, gateway: Simulator) -> None:
        request = request_of("u-1", new_key())
        with pytest.raises(Unavailable):
            connected_gateway().issue("u-1", request[:-3] + bytes((request[-3] ^ 1,)) + request[-2:])
        assert not gateway.authority.subjects.get("u-1")


class TestSessions:
    def test_messages_go_both_ways_and_show_nothing(self, telephone: Telephones) -> None:
        phone, house = telephone(), connected_gateway()
        session = session_of(phone)
        for plain in (b"", "字".encode() * 1_000, secrets.token_bytes(3_000_000)):
            _, sequence, sealed = phone.seal(plain)
            assert not plain or plain not in sealed
            assert house.open(session, sequence, sealed) == plain
            answer = house.seal(session, sequence, plain)
            assert not plain or plain not in answer
            assert phone.open(sequence, answer) == plain

    def test_each_number_is_taken_once_and_changed_messages_use_none_up(self, telephone: Telephones) -> None:
        phone, house = telephone(), connected_gateway()
        session = session_of(phone)
        _, sequence, sealed = phone.seal(b"pay 100")
        for at in range(len(sealed)):
            with pytest.raises(Conflict) as refused:
                house.open(session, sequence, sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :])
            assert refused.value.code == "sealed_tampered"
        with pytest.raises(Conflict):
            house.open(session, sequence + 1, sealed)
        assert house.open(session, sequence, sealed) == b"pay 100"
        with pytest.raises(Conflict) as refused:
            house.open(session, sequence, sealed)
        assert refused.value.code == "sealed_replayed"
        house.seal(session, sequence, b"done")
        with pytest.raises(Conflict):
            house.seal(session, sequence, b"again")

    def test_messages_may_overtake_each_other(self, telephone: Telephones) -> None:
        phone, house = telephone(), connected_gateway()
        session = session_of(phone)
        sent = [phone.seal(f"{number}".encode()) for number in range(20)]
        for _, sequence, sealed in reversed(sent):
            house.open(session, sequence, sealed)
        with pytest.raises(Conflict):
            house.open(session, sent[0][1], sent[0][2])

    def test_a_message_of_another_session_or_of_one_that_ended(self, telephone: Telephones) -> None:
        phone, other, house = telephone(), telephone(), connected_gateway()
        session, its = session_of(phone), session_of(other)
        _, sequence, sealed = phone.seal(b"1")
        with pytest.raises(Conflict):
            house.open(its, sequence, sealed)
        house.close(session)
        with pytest.raises(Conflict) as refused:
            house.open(session, sequence, sealed)
        assert refused.value.code == "sealed_session_unknown"

    def test_a_telephone_wants_the_sites_word_for_a_session(self, telephone: Telephones) -> None:
        phone = telephone()
        asked = asked_of(phone, "session")
        secret, sealed = phone.seal_secret(shown(asked))
        assert phone.certificate
        _, opened = connected_gateway().open_session(
            asked.question, phone.certificate, phone.sign(shown(asked), sealed), sealed
        )
        assert opened
        for session, signature in ((opened.session + "x", opened.signature), (opened.session, b"0" * 70)):
            with pytest.raises(SiteRefused):
                phone.begin(shown(asked), session, secret, sealed, signature)

    def test_a_secret_that_was_exchanged_is_not_signed(self, telephone: Telephones) -> None:
        phone, thief = telephone(), telephone()
        asked = asked_of(phone, "session")
        _, sealed = phone.seal_secret(shown(asked))
        signature = phone.sign(shown(asked), sealed)
        _, others = thief.seal_secret(shown(asked))
        assert phone.certificate
        told, opened = connected_gateway().open_session(asked.question, phone.certificate, signature, others)
        assert (told, opened) == (Verdict.SIGNATURE_WRONG, None)


@given(plain=st.binary(max_size=300), sequence=st.integers(1, 2**40 - 1), secret=st.binary(min_size=48, max_size=48))
def test_a_message_opens_in_its_own_place_only(plain: bytes, sequence: int, secret: bytes) -> None:
    keys, others = SessionKeys.of("s", secret, b"one"), SessionKeys.of("s", secret, b"two")
    sealed = keys.seal(UP, sequence, plain)
    assert keys.open(UP, sequence, sealed) == plain
    for who, way, number in ((keys, DOWN, sequence), (keys, UP, sequence % (2**40 - 1) + 1), (others, UP, sequence)):
        with pytest.raises(Tampered):
            who.open(way, number, sealed)


class TestAccidents:
    @pytest.mark.parametrize(
        ("mood", "fault", "code"),
        [
            (Mood.SLOW, AnswerUnclear, "answer_missing"),
            (Mood.SILENT, AnswerUnclear, "answer_missing"),
            (Mood.GARBAGE, AnswerUnclear, "answer_unclear"),
            (Mood.WRONG_SHAPE, AnswerUnclear, "answer_unclear"),
            (Mood.BROKEN, Unavailable, "gateway_refused"),
            (Mood.CLOCK_AHEAD, AnswerUnclear, "gateway_clock"),
        ],
    )
    def test_no_challenge_is_shown(
        self,
        gateway: Simulator,
        telephone: Telephones,
        settings: Any,
        mood: Mood,
        fault: type[CityError],
        code: str,
    ) -> None:
        phone = telephone()
        settings.GATEWAY_TIMEOUT_S = 0.6
        gateway.mood = mood
        with pytest.raises(fault) as refused:
            asked_of(phone)
        assert refused.value.code == code
        assert "安全认证网关" in refused.value.message

    def test_an_answer_to_another_question_is_none(self, gateway: Simulator, telephone: Telephones) -> None:
        phone = telephone()
        asked = asked_of(phone)
        gateway.mood = Mood.OTHER_ANSWER
        with pytest.raises(AnswerUnclear):
            verdict(phone, asked)

    def test_a_site_of_another_authority_is_found_out_by_our_own_roots(
        self, gateway: Simulator, telephone: Telephones, settings: Any, tmp_path: Path
    ) -> None:
        roots = tmp_path / "roots.pem"
        text = base64.encodebytes(gateway.authority.root.der).decode()
        roots.write_text(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n")
        settings.GATEWAY_ROOTS = str(roots)
        phone = telephone()
        assert verdict(phone, asked_of(phone)) is Verdict.GOOD
        assert not connected_gateway().trusts(Authority().pair("x").certificate)
        gateway.mood = Mood.OTHER_SITE
        with pytest.raises(AnswerUnclear) as refused:
            asked_of(phone)
        assert refused.value.code == "site_untrusted"

    def test_a_gateway_that_is_away_rests_after_some_failures(self, gateway: Simulator, settings: Any) -> None:
        settings.GATEWAY_URL = "http://127.0.0.1:9"
        codes = []
        for _ in range(7):
            with pytest.raises(NotReached) as refused:
                connected_gateway().challenge("sign_in", host="testserver", random=b"r" * 32)
            codes.append(refused.value.code)
        assert codes == ["not_reached"] * 5 + ["resting"] * 2

    def test_another_secret_is_refused(self, gateway: Simulator, settings: Any) -> None:
        settings.GATEWAY_SECRET = "t" * 40
        with pytest.raises(Unavailable):
            connected_gateway().status("0" * 64)
        assert not gateway.acts

    @pytest.mark.parametrize(
        ("name", "value"),
        [("GATEWAY_URL", ""), ("GATEWAY_APP", ""), ("GATEWAY_SECRET", ""), ("INSIDE_HOSTS", []),
         ("GATEWAY_ROOTS", "/nowhere/roots.pem")],
    )  # fmt: skip
    def test_half_a_configuration_sends_nothing(self, gateway: Simulator, settings: Any, name: str, value: Any) -> None:
        setattr(settings, name, value)
        with pytest.raises(NotConnected):
            connected_gateway()
        assert is_connected() is bool(settings.GATEWAY_URL)
        assert not gateway.acts

    def test_a_challenge_is_never_asked_for_twice_and_a_question_is(self, gateway: Simulator, settings: Any) -> None:
        settings.GATEWAY_TIMEOUT_S = 0.6
        gateway.mood = Mood.SILENT
        house: Gateway = connected_gateway()
        with pytest.raises(AnswerUnclear):
            house.challenge("sign_in", host="testserver", random=b"r" * 32)
        with pytest.raises(AnswerUnclear):
            house.status("0" * 64)
        assert (gateway.acts["challenge"], gateway.acts["status"]) == (1, 2)
        cache.clear()


def test_certificates_of_the_simulator_read_back() -> None:
    authority = Authority()
    assert read_certificate(authority.root.der) == authority.root
