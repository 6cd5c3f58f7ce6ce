"""Certificates of devices: issued, bound, used to sign in, ended; and everybody who should not come in by one."""

from __future__ import annotations

import datetime as dt
import time
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from services.access.models import AuditEntry, User
from services.access.signin import queries
from services.access.signin.actions import confirm_second_step, propose_second_step
from services.access.signin.certificates import MOST_DEVICES
from services.access.signin.models import DeviceCertificate, OpenSession
from services.access.signin.onetime import STEP_S, code_at
from services.integrations.gateway.authority import Authority
from services.integrations.gateway.client import connected_gateway
from services.integrations.gateway.container import SiteRefused
from services.integrations.gateway.schemas import State
from services.integrations.gateway.simulator import Mood, Simulator
from tests.services.access.certificates.handset import PASSWORD, Handset, text

pytestmark = pytest.mark.django_db


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def now_code(secret: str, ahead: int = 0) -> str:
    return code_at(secret, int(time.time()) // STEP_S + ahead)


@pytest.mark.covers("PRE-SEC-01", via="services.access.signin.certificates:judge")
def test_a_telephone_and_the_house_each_prove_who_they_are(gateway: Simulator, clerk: User, other: User) -> None:
    """By the gateway's interface, with a user's certificate on the telephone, a site certificate here, bound to the user's id."""
    phone = Handset(gateway)
    phone.by_password("clerk")
    # a user's certificate is made out to the account's id and put on the telephone, whose key never left it
    assert phone.install().json()["subject"] == str(clerk.uid)
    user_certificate = phone.container.certificate
    assert user_certificate
    assert (user_certificate.common_name, user_certificate.public) == (str(clerk.uid), phone.container.key.public)
    # the certificate and the account are bound, by proof of the key
    assert phone.bind().status_code == 200
    row = DeviceCertificate.objects.get()
    assert (row.user.uid, row.fingerprint) == (clerk.uid, user_certificate.fingerprint)
    phone.client.post("/sign-out")
    # the house shows the site certificate that the gateway holds, and proves its key over the telephone's own random bytes
    shown = phone.challenge("sign_in")
    assert shown.site == gateway.site.certificate.der
    text_of_site = shown.question.site_text(shown.encryption)
    assert gateway.site.certificate.public.verify(text_of_site, shown.signature)
    assert gateway.site.certificate.is_signed_by(gateway.authority.root)
    # the telephone signs, the gateway judges, and the account of the binding is signed in
    asked = gateway.acts["verify"]
    assert phone.post("certificates/sign-in", phone.answer(shown)).json()["signed_in"] is True
    assert gateway.acts["verify"] == asked + 1
    assert "李办事" in phone.client.get("/account").content.decode()
    # who has the certificate and not its key is nobody, and a site without the certificate's key gets no signature
    thief = Handset(gateway)
    thief.container.certificate = user_certificate
    assert code_of(thief.sign_in()) == "certificate_signature_wrong"
    assert not thief.inside()
    gateway.mood = Mood.OTHER_SITE
    phone.client.post("/sign-out")
    with pytest.raises(SiteRefused):
        phone.sign_in()
    assert not phone.inside()
    # revoked on the gateway, it opens nothing any more, without a word here
    gateway.mood = Mood.WELL
    gateway.authority.revoked.add(user_certificate.fingerprint)
    assert code_of(phone.sign_in()) == "certificate_revoked"
    assert not phone.inside()


class TestEnrolling:
    def test_a_certificate_is_issued_bound_and_signs_in(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway)
        phone.by_password("clerk")
        issued = phone.install().json()
        assert issued["subject"] == str(clerk.uid)
        assert not DeviceCertificate.objects.exists()
        assert phone.bind("工作手机").status_code == 200
        row = DeviceCertificate.objects.get()
        assert phone.container.certificate
        assert (row.user, row.fingerprint) == (clerk, phone.container.certificate.fingerprint)
        assert row.used_at is None
        phone.client.post("/sign-out")
        told = phone.sign_in().json()
        assert told == {"signed_in": True, "next": "/account"}
        assert phone.inside()
        row.refresh_from_db()
        assert row.used_at is not None
        opened = OpenSession.objects.get()
        assert (opened.how, opened.certificate) == ("certificate", row.fingerprint)
        acts = list(AuditEntry.objects.filter(actor="clerk").values_list("act", flat=True))
        assert {"certificate_issued", "certificate_bound", "sign_in"} <= set(acts)

    def test_a_binding_wants_a_sign_in_that_is_recent(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway)
        phone.by_password("clerk")
        phone.install()
        with time_machine.travel(time.time() + 700):
            refused = phone.post("certificates/issue", {"request": text(phone.container.request("x"))})
            assert (refused.status_code, code_of(refused)) == (409, "sign_in_stale")
        mark = phone.client.session["signed_in"]
        session = phone.client.session
        session["signed_in"] = {**mark, "at": mark["at"] - 700}
        session.save()
        assert code_of(phone.bind()) == "sign_in_stale"
        assert "重新登录" in phone.client.get("/account/certificates").content.decode()
        assert not DeviceCertificate.objects.exists()

    def test_a_binding_wants_the_second_step_where_there_is_one(self, gateway: Simulator, clerk: User) -> None:
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        phone = Handset(gateway)
        phone.by_password("clerk")
        phone.client.post("/sign-in/code", {"code": now_code(secret)})
        phone.install()
        assert code_of(phone.bind(code="000000")) == "code_wrong"
        assert code_of(phone.bind(code="")) == "code_wrong"
        assert not DeviceCertificate.objects.exists()
        assert phone.bind(code=now_code(secret, 1)).status_code == 200

    def test_wrong_codes_are_counted_together_with_those_of_signing_in(self, gateway: Simulator, clerk: User) -> None:
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        phone = Handset(gateway)
        phone.by_password("clerk")
        phone.client.post("/sign-in/code", {"code": now_code(secret)})
        phone.install()
        codes = [code_of(phone.bind(code="000000")) for _ in range(6)]
        assert codes == ["code_wrong"] * 5 + ["codes_wrong"]

    def test_a_certificate_is_of_one_account(self, gateway: Simulator, clerk: User, other: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        phone.by_password("other")
        assert code_of(phone.bind()) == "certificate_taken"
        phone.client.post("/sign-out")
        # Nor does one made out to somebody else become one's own before its owner binds it.
        stolen = Handset(gateway)
        stolen.by_password("other")
        stolen.container.install(gateway.authority.issue(str(clerk.uid), stolen.container.key.public).der)
        assert code_of(stolen.bind()) == "certificate_taken"
        assert DeviceCertificate.objects.count() == 1
        row = DeviceCertificate.objects.get()
        with pytest.raises(IntegrityError), transaction.atomic():
            DeviceCertificate.objects.create(
                user=other, name="x", fingerprint=row.fingerprint, serial="1", subject="x", issuer="x",
                not_before=row.not_before, not_after=row.not_after, bound_at=row.bound_at,
            )  # fmt: skip

    def test_an_account_has_some_devices_and_no_more(self, gateway: Simulator, clerk: User) -> None:
        for number in range(MOST_DEVICES):
            phone = Handset(gateway)
            phone.by_password("clerk")
            phone.install()
            assert phone.bind(f"手机 {number}").status_code == 200
        assert code_of(phone.install()) == "certificate_limit"
        assert "最多绑定 5 台" in phone.client.get("/account/certificates").content.decode()

    def test_without_its_key_nothing_is_bound(self, gateway: Simulator, clerk: User) -> None:
        phone, thief = Handset(gateway), Handset(gateway)
        phone.by_password("clerk")
        phone.install()
        thief.by_password("clerk")
        thief.container.certificate = phone.container.certificate
        assert code_of(thief.bind()) == "certificate_signature_wrong"
        assert not DeviceCertificate.objects.exists()

    def test_a_key_of_a_program_binds_nothing(self, gateway: Simulator, clerk: User) -> None:
        page = Client()
        page.post("/sign-in", {"username": "clerk", "password": PASSWORD})
        page.post("/account/keys", {"name": "x"})
        token = page.get("/account").content.decode().split('class="token">')[1].split("<")[0]
        answer = Client().post(
            "/api/v1/certificates/issue", {"request": "AAAA"}, content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert code_of(answer) == "sign_in_needed"


class TestWhoIsKeptOut:
    def refused(self, phone: Handset) -> tuple[int, str]:
        answer = phone.sign_in()
        assert not phone.inside()
        assert answer.json()["detail"]
        assert AuditEntry.objects.filter(act="sign_in_refused", detail__code=code_of(answer)).exists()
        return answer.status_code, code_of(answer)

    def test_expired_coming_revoked_foreign_and_unbound(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        key, good = phone.container.key.public, phone.container.certificate
        now, day = timezone.now(), dt.timedelta(days=1)
        told = []
        for certificate in (
            gateway.authority.issue(str(clerk.uid), key, begins=now - 10 * day, days=9),
            gateway.authority.issue(str(clerk.uid), key, begins=now + day),
            Authority().issue(str(clerk.uid), key),
            gateway.authority.issue(str(clerk.uid), key),
        ):
            phone.container.certificate = certificate
            told.append(self.refused(phone))
        phone.container.certificate = good
        assert good
        gateway.authority.revoked.add(good.fingerprint)
        told.append(self.refused(phone))
        codes = ["expired", "not_yet_valid", "untrusted", "not_bound", "revoked"]
        assert told == [(401, f"certificate_{code}") for code in codes]

    def test_an_answer_counts_once_in_its_own_browser_and_in_time(self, gateway: Simulator, clerk: User) -> None:
        phone, thief = Handset(gateway).enrol("clerk"), Handset(gateway)
        thief.container = phone.container
        stolen = phone.answer(phone.challenge("sign_in"))
        assert code_of(thief.post("certificates/sign-in", stolen)) == "certificate_challenge_unknown"
        assert code_of(phone.post("certificates/sign-in", stolen)) == "certificate_challenge_unknown"
        answer = phone.answer(phone.challenge("sign_in"))
        assert phone.post("certificates/sign-in", answer).status_code == 200
        phone.client.post("/sign-out")
        assert code_of(phone.post("certificates/sign-in", answer)) == "certificate_challenge_unknown"
        late = phone.answer(phone.challenge("sign_in"))
        cache.clear()  # what two minutes do to a challenge
        assert code_of(phone.post("certificates/sign-in", late)) == "certificate_challenge_unknown"
        assert not phone.inside()

    def test_an_answer_to_one_purpose_is_none_to_another(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        phone.by_password("clerk")
        answer = phone.answer(phone.challenge("bind"))
        phone.client.post("/sign-out")
        assert code_of(phone.post("certificates/sign-in", answer)) == "certificate_challenge_unknown"

    @pytest.mark.parametrize("mood", [Mood.SLOW, Mood.SILENT, Mood.GARBAGE, Mood.BROKEN, Mood.CLOCK_AHEAD])
    def test_nobody_comes_in_while_the_gateway_is_away(
        self, gateway: Simulator, clerk: User, settings: Any, mood: Mood
    ) -> None:
        phone = Handset(gateway).enrol("clerk")
        answer = phone.answer(phone.challenge("sign_in"))
        settings.GATEWAY_TIMEOUT_S = 0.6
        gateway.mood = mood
        random = text(phone.container.random())
        refused = phone.post("certificates/challenge", {"purpose": "sign_in", "random": random})
        assert refused.status_code == 503
        assert "安全认证网关" in refused.json()["detail"]
        if mood is not Mood.CLOCK_AHEAD:
            assert phone.post("certificates/sign-in", answer).status_code == 503
            assert not phone.inside()

    def test_a_gateway_that_lies_lets_nobody_in(self, gateway: Simulator, clerk: User, other: User) -> None:
        phone, thief = Handset(gateway).enrol("clerk"), Handset(gateway)
        gateway.mood = Mood.SAYS_GOOD
        thief.container.certificate = phone.container.certificate  # shown to everybody, but not its key
        assert self.refused(thief) == (401, "certificate_signature_wrong")
        gateway.mood = Mood.OTHER_ANSWER
        assert self.refused(phone) == (503, "answer_unclear")

    def test_a_binding_altered_in_the_database_counts_for_nothing(
        self, gateway: Simulator, clerk: User, other: User
    ) -> None:
        phone = Handset(gateway).enrol("other")
        row = DeviceCertificate.objects.get()
        DeviceCertificate.objects.filter(pk=row.pk).update(user=clerk)
        assert self.refused(phone) == (401, "binding_altered")
        assert AuditEntry.objects.filter(act="tampered").exists()
        DeviceCertificate.objects.filter(pk=row.pk).update(user=other)
        assert phone.sign_in().status_code == 200

    def test_a_binding_written_past_the_platform_or_revived_counts_for_nothing(
        self, gateway: Simulator, clerk: User, other: User
    ) -> None:
        phone = Handset(gateway).enrol("clerk")
        row = DeviceCertificate.objects.get()
        phone.by_password("clerk")
        phone.client.post(f"/account/certificates/{row.pk}/end")
        phone.client.post("/sign-out")
        gateway.authority.revoked.clear()
        assert self.refused(phone) == (401, "certificate_not_bound")
        DeviceCertificate.objects.filter(pk=row.pk).update(ended_at=None, ended_by="")
        assert self.refused(phone) == (401, "binding_altered")

    def test_an_account_that_was_stopped(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        clerk.is_active = False
        clerk.save()
        assert self.refused(phone) == (401, "account_disabled")

    def test_the_telephone_itself_refuses_another_site(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        gateway.mood = Mood.OTHER_SITE
        with pytest.raises(SiteRefused):
            phone.sign_in()
        phone.container.host = "elsewhere"
        gateway.mood = Mood.WELL
        with pytest.raises(SiteRefused):
            phone.sign_in()


class TestEnding:
    def test_its_owner_ends_it_and_what_was_begun_with_it(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        phone.sign_in()
        desk = Client()
        desk.post("/sign-in", {"username": "clerk", "password": PASSWORD})
        row = DeviceCertificate.objects.get()
        page = desk.post(f"/account/certificates/{row.pk}/end", follow=True).content.decode()
        assert "证书已停用" in page
        assert not phone.inside()
        assert desk.get("/account").status_code == 200
        assert connected_gateway().status(row.fingerprint) is State.REVOKED

    def test_it_ends_here_though_the_gateway_is_away(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        phone.by_password("clerk")
        gateway.mood = Mood.BROKEN
        page = phone.client.post(
            f"/account/certificates/{DeviceCertificate.objects.get().pk}/end", follow=True
        ).content.decode()  # fmt: skip
        assert "请管理员在网关上吊销" in page
        gateway.mood = Mood.WELL
        phone.client.post("/sign-out")
        assert code_of(phone.sign_in()) == "certificate_not_bound"

    def test_nobody_ends_anothers(self, gateway: Simulator, clerk: User, other: User) -> None:
        Handset(gateway).enrol("clerk")
        client = Client()
        client.force_login(other)
        client.post(f"/account/certificates/{DeviceCertificate.objects.get().pk}/end")
        assert DeviceCertificate.objects.get().ended_at is None


class TestRoles:
    def test_a_role_that_asks_for_a_certificate_is_not_content_with_a_password(
        self, gateway: Simulator, clerk: User, settings: Any
    ) -> None:
        phone = Handset(gateway).enrol("clerk")
        settings.CERTIFICATE_ROLES = ["street_clerk"]
        assert phone.by_password("clerk")["Location"] == "/sign-in/certificate"
        assert not phone.inside()
        assert phone.sign_in().json() == {"signed_in": True, "next": "/account"}
        assert phone.inside()
        assert OpenSession.objects.get(how="password").certificate

    def test_not_with_the_certificate_of_a_colleague(
        self, gateway: Simulator, clerk: User, other: User, settings: Any
    ) -> None:
        phone = Handset(gateway).enrol("other")
        settings.CERTIFICATE_ROLES = ["street_clerk"]
        phone.by_password("clerk")
        assert code_of(phone.sign_in()) == "certificate_other"
        assert not phone.inside()

    def test_a_second_step_stands_in_only_where_declared_and_only_while_the_gateway_is_away(
        self, gateway: Simulator, clerk: User, settings: Any
    ) -> None:
        settings.CERTIFICATE_ROLES = ["street_clerk"]
        client = Client()
        client.post("/sign-in", {"username": "clerk", "password": PASSWORD})
        for fallback, mood in ((False, Mood.BROKEN), (True, Mood.BROKEN)):
            settings.CERTIFICATE_FALLBACK, gateway.mood = fallback, mood
            assert client.post("/sign-in/certificate/without")["Location"] == "/sign-in/certificate"
        gateway.mood = Mood.WELL
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        client.post("/sign-in", {"username": "clerk", "password": PASSWORD})
        client.post("/sign-in/code", {"code": now_code(secret)})
        assert "用验证码继续" in client.get("/sign-in/certificate").content.decode()
        assert client.post("/sign-in/certificate/without")["Location"] == "/sign-in/certificate"  # it answers
        assert client.get("/account").status_code == 302
        gateway.mood = Mood.BROKEN
        assert client.post("/sign-in/certificate/without")["Location"] == "/account"
        assert client.get("/account").status_code == 200
        assert AuditEntry.objects.filter(act="certificate_spared", actor="clerk").count() == 1
        assert OpenSession.objects.get().certificate == ""

    def test_a_second_step_is_asked_besides_a_certificate(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        assert phone.sign_in().json() == {"signed_in": False, "next": "/sign-in/code"}
        assert not phone.inside()
        phone.client.post("/sign-in/code", {"code": now_code(secret)})
        assert phone.inside()
        assert OpenSession.objects.get().certificate


def test_a_role_is_declared_to_ask_for_one(clerk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = tuple(each._replace(certificate=each.key == "street_clerk") for each in queries.roles())
    assert not queries.needs_certificate(clerk)
    monkeypatch.setattr(queries, "roles", lambda: asking)
    assert queries.needs_certificate(clerk)


def test_what_is_no_base64_is_said_so(gateway: Simulator) -> None:
    answer = Client().post(
        "/api/v1/certificates/sign-in", {"challenge": text(b"c" * 32), "certificate": "AAAAA", "signature": "AAAA"},
        content_type="application/json",
    )  # fmt: skip
    assert (answer.status_code, code_of(answer)) == (400, "base64_invalid")


class TestPages:
    def test_they_say_what_to_do_where_there_is_no_gateway(self, clerk: User) -> None:
        client = Client()
        assert "安全认证网关还没有接通" in client.get("/sign-in/certificate").content.decode()
        assert "用证书登录" not in client.get("/sign-in").content.decode()
        client.force_login(clerk)
        assert "暂时不能申请和绑定证书" in client.get("/account/certificates").content.decode()
        answer = client.post(
            "/api/v1/certificates/challenge", {"purpose": "bind", "random": text(b"r" * 32)},
            content_type="application/json",
        )  # fmt: skip
        assert (answer.status_code, code_of(answer)) == (503, "not_connected")

    def test_a_page_of_devices_names_them(self, gateway: Simulator, clerk: User) -> None:
        phone = Handset(gateway).enrol("clerk")
        phone.sign_in()
        page = phone.client.get("/account/certificates").content.decode()
        assert "工作手机" in page
        assert "就是这台" in page
        assert "绑定了 1 台设备" in phone.client.get("/account").content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_many_answers_at_once_one_counts(gateway: Simulator) -> None:
    user = User.objects.create_user("many", password=PASSWORD)
    phone = Handset(gateway).enrol(user.username)
    answer = phone.answer(phone.challenge("sign_in"))
    told: list[int] = []
    begun = Barrier(4)

    def send() -> None:
        client = Client()
        client.cookies = phone.client.cookies.copy()
        begun.wait()
        try:
            answered = client.post("/api/v1/certificates/sign-in", answer, content_type="application/json")
            told.append(answered.status_code)
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [200, 401, 401, 401]
