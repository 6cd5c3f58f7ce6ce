"""Signing in through providers: one contract for OpenID Connect against a real provider, and for three dialects of tickets.

The provider of OpenID Connect is django-allauth's in a process of its own; those of tickets are our simulator, written from the
dialects and not from our field maps. Everything goes over real HTTP.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from geo.errors import Conflict
from services.access.models import AuditEntry, User, UserKind
from services.access.signin.actions import IDENTITY_FIELD
from services.access.signin.models import ExternalIdentity, OpenSession
from services.crypto.models import Secret
from services.crypto.queries import owners_with
from services.integrations.identity import oidc
from services.integrations.identity.maps import MAPS
from services.integrations.identity.providers import provider_named
from services.integrations.identity.simulator import SOMEBODY, Simulator
from services.integrations.identity.spec import NotIdentified
from tests.services.access.provider import APP, SECRET

pytestmark = pytest.mark.django_db
KINDS = ["oidc", *MAPS]
BACK = "http://testserver/sign-in/with/door/back"
GATE = "simulator-secret-not-guessable"


@pytest.fixture(scope="session")
def openid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the real provider once, and return its address."""
    folder = tmp_path_factory.mktemp("provider")
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.services.access.provider", str(folder), BACK],
        stdout=subprocess.PIPE, cwd=root, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://"), "the provider did not start"
    yield address
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(app="quantu", secret=GATE) as running:
        yield running


class Door:
    """A provider of a kind with somebody at a browser: leaves our page, signs in there, comes back."""

    def __init__(self, kind: str, simulator: Simulator, openid: str) -> None:
        self.kind, self.simulator, self.openid = kind, simulator, openid
        self.client = Client(raise_request_exception=False)

    def leave(self, query: str = "") -> str:
        answer = self.client.get(f"/sign-in/with/door{query}")
        assert answer.status_code == 302, answer.content.decode()
        return str(answer["Location"])

    def sign_in_there(self, address: str, name: str = "wang") -> str:
        """Return the path and query by which the browser comes back."""
        if self.kind != "oidc":
            back = httpx.get(address).headers["Location"]
        else:
            with httpx.Client(follow_redirects=False) as browser:
                page = browser.get(address)
                login = f"{self.openid}{page.headers['Location']}"
                form = browser.get(login)
                token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)[0]
                said = {"login": name, "password": "provider-password", "csrfmiddlewaretoken": token}
                signed = browser.post(login, data=said, headers={"Referer": login})
                back = browser.get(f"{self.openid}{signed.headers['Location']}").headers["Location"]
        parts = urlsplit(back)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
        return urlunsplit(("", "", parts.path, parts.query, ""))

    def come_back(self, query: str = "") -> Any:
        return self.client.get(self.sign_in_there(self.leave(query)))

    @property
    def signed_in(self) -> str:
        key = self.client.session.get("_auth_user_id")
        return str(User.objects.get(pk=key).username) if key else ""


@pytest.fixture(params=KINDS)
def door(request: pytest.FixtureRequest, simulator: Simulator, openid: str, settings: Any) -> Door:
    cache.clear()
    kind = request.param
    said = {"kind": kind, "name": "测试认证", "audience": "resident", "timeout": "1"}
    where = (
        {"url": openid, "app": APP, "secret": SECRET}
        if kind == "oidc"
        else {"url": simulator.url, "app": "quantu", "secret": GATE}
    )
    settings.SIGN_IN = {"door": {**said, **where}}
    settings.INSIDE_HOSTS = ["127.0.0.1"]
    return Door(kind, simulator, openid)


def last_code() -> str:
    return str(AuditEntry.objects.filter(act="sign_in_refused").order_by("-id")[0].detail["code"])


class TestContract:
    """What holds whichever way a provider speaks."""

    def test_a_resident_comes_the_first_time_gets_an_account_and_the_next_time_the_same(self, door: Door) -> None:
        answer = door.come_back("?next=/my/cases")
        assert (answer.status_code, answer["Location"]) == (302, "/my/cases")
        user = User.objects.get(username=door.signed_in)
        assert (user.kind, user.has_usable_password()) == (UserKind.RESIDENT, False)
        door.client.post("/sign-out")
        door.come_back()
        assert door.signed_in == user.username
        assert User.objects.count() == 1
        assert [entry.act for entry in AuditEntry.objects.order_by("id")] == [
            "account_created", "identity_bound", "sign_in", "sign_out", "sign_in"
        ]  # fmt: skip

    def test_a_staff_account_is_bound_by_its_owner_and_never_by_a_name(self, door: Door, settings: Any) -> None:
        settings.SIGN_IN["door"]["audience"] = "staff"
        clerk = User.objects.create_user("wang", password="a-good-long-one", display_name=SOMEBODY.name)
        refused = door.come_back()
        assert (refused.status_code, door.signed_in) == (400, "")
        assert "还没有绑定" in refused.content.decode()
        door.client.force_login(clerk, backend="django.contrib.auth.backends.ModelBackend")
        assert door.come_back()["Location"] == "/account"
        assert ExternalIdentity.objects.get().user == clerk
        door.client.post("/sign-out")
        door.come_back()
        assert door.signed_in == "wang"

    def test_what_is_bound_to_one_is_not_bound_to_another(self, door: Door) -> None:
        door.come_back()
        owner = door.signed_in
        other = User.objects.create_user("other", password="a-good-long-one")
        door.client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
        door.come_back()
        assert "已经绑定" in door.client.get("/account").content.decode()
        assert ExternalIdentity.objects.get().user.username == owner

    def test_a_stopped_account_stays_out(self, door: Door) -> None:
        door.come_back()
        User.objects.update(is_active=False)
        door.client.post("/sign-out")
        assert (door.come_back().status_code, door.signed_in) == (400, "")
        assert last_code() == "account_disabled"

    def test_an_answer_for_another_browser_is_refused(self, door: Door) -> None:
        # Login CSRF: an attacker's link that would sign a victim in as the attacker.
        path = door.sign_in_there(door.leave())
        victim = Client()
        assert victim.get(path).status_code == 400
        assert "_auth_user_id" not in victim.session
        assert last_code() == "state_wrong"

    def test_a_changed_state_is_refused_and_the_way_back_holds_once(self, door: Door) -> None:
        path = door.sign_in_there(door.leave())
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert door.client.get(f"{parts.path}?{urlencode({**query, 'state': 'x' * 32})}").status_code == 400
        assert door.client.get(path).status_code == 400  # what was kept is gone with the first try
        assert door.signed_in == ""

    def test_a_way_back_after_ten_minutes_is_refused(self, door: Door) -> None:
        path = door.sign_in_there(door.leave())
        session = door.client.session
        session["sign_in_away"] = {**session["sign_in_away"], "at": time.time() - 601}
        session.save()
        assert (door.client.get(path).status_code, last_code()) == (400, "state_wrong")

    def test_a_code_or_ticket_opens_once(self, door: Door) -> None:
        path = door.sign_in_there(door.leave())
        kept = dict(door.client.session["sign_in_away"])
        assert door.client.get(path).status_code == 302
        door.client.post("/sign-out")
        session = door.client.session
        session["sign_in_away"] = kept
        session.save()
        door.client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
        assert (door.client.get(path).status_code, door.signed_in) == (400, "")

    def test_nobody_is_led_elsewhere(self, door: Door) -> None:
        assert door.come_back("?next=https://evil.example/")["Location"] == "/account"

    def test_a_wrong_secret_opens_nothing(self, door: Door, settings: Any) -> None:
        settings.SIGN_IN["door"]["secret"] = "another-secret"
        assert (door.come_back().status_code, door.signed_in) == (400, "")

    def test_one_that_is_not_there_leaves_the_password_and_says_so(self, door: Door, settings: Any) -> None:
        path = door.sign_in_there(door.leave())
        settings.SIGN_IN["door"]["url"] = "http://127.0.0.1:9"
        cache.clear()
        session = door.client.session  # the cache held it, too
        session.save()
        answer = door.client.get(path)
        assert answer.status_code == 503
        assert 'name="password"' in answer.content.decode()
        assert door.signed_in == ""


@pytest.fixture(params=list(MAPS))
def tickets(request: pytest.FixtureRequest, simulator: Simulator, settings: Any) -> Door:
    cache.clear()
    settings.SIGN_IN = {"door": {"kind": request.param, "url": simulator.url, "app": "quantu", "secret": GATE,
                                 "audience": "resident", "timeout": "0.4"}}  # fmt: skip
    settings.INSIDE_HOSTS = ["127.0.0.1"]
    return Door(request.param, simulator, "")


class TestTickets:
    @pytest.mark.parametrize(
        ("trouble", "status"),
        [("slow", 503), ("silent", 503), ("garbage", 503), ("broken", 503), ("nobody", 503), ("refused", 400)],
    )
    def test_whatever_goes_wrong_there_signs_nobody_in(self, tickets: Door, trouble: str, status: int) -> None:
        tickets.simulator.person = replace(SOMEBODY, trouble=trouble)
        tickets.simulator.slow_s = 1.0
        begun = time.monotonic()
        answer = tickets.come_back()
        assert (answer.status_code, tickets.signed_in) == (status, "")
        assert time.monotonic() - begun < 10  # it is given up, whatever it does
        assert not User.objects.exists()

    def test_a_garbled_ticket_is_not_even_asked_about(self, tickets: Door) -> None:
        path = tickets.sign_in_there(tickets.leave())
        name = MAPS[tickets.kind].ticket_param
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()} | {name: "a b\r\nX: y"}
        assert tickets.client.get(f"{parts.path}?{urlencode(query)}").status_code == 400
        assert tickets.simulator.asked == []

    def test_numbers_are_kept_with_consent_only_sealed_and_nowhere_else(self, tickets: Door) -> None:
        tickets.come_back()
        user = User.objects.get()
        assert not Secret.objects.exists()
        tickets.client.post("/my/data/consent/real_name", {"give": "1", "version": "1"})
        tickets.client.post("/sign-out")
        tickets.come_back()
        if "identity_number" in MAPS[tickets.kind].fields:
            assert owners_with(field=IDENTITY_FIELD, value=SOMEBODY.identity_number) == [user.uid]
        seen = str(list(Secret.objects.values())) + str(list(AuditEntry.objects.values())) + str(User.objects.values())
        assert SOMEBODY.identity_number not in seen
        assert SOMEBODY.phone not in seen
        tickets.client.post("/my/data/consent/real_name", {"give": "0"})
        assert not Secret.objects.exists()


class TestOpenId:
    """What an ID token must say; each case breaks one thing of a token that is good."""

    @pytest.fixture
    def key(self) -> Any:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @pytest.fixture
    def provider(self, key: Any, settings: Any) -> Any:
        cache.clear()
        settings.SIGN_IN = {"door": {"kind": "oidc", "url": "https://id.example", "app": APP, "secret": SECRET}}
        public = {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k1", "use": "sig"}
        root = "https://id.example"
        cache.set(
            "oidc:door:https://id.example",
            {"issuer": root, "jwks_uri": f"{root}/keys", "token_endpoint": f"{root}/token"},
        )
        cache.set("oidc:door:keys", [public])
        cache.set("oidc:door:reask", 1)
        return provider_named("door")

    GOOD = {"iss": "https://id.example", "aud": APP, "sub": "u1", "nonce": "n"}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        whole = {**self.GOOD, "iat": now, "exp": now + 300, **changes}
        return {name: value for name, value in whole.items() if value is not None}

    def identify(self, provider: Any, token: str, monkeypatch: pytest.MonkeyPatch) -> Any:
        # Only the token endpoint is stood in for: what it hands over is what is judged here.
        before = oidc._json
        monkeypatch.setattr(
            oidc, "_json", lambda p, m, path, **k: {"id_token": token} if path == "/token" else before(p, m, path, **k)
        )
        return oidc.identify(provider, {"code": "c"}, back=BACK, begun=oidc.Begun("n", "v"))

    def test_a_good_one(self, provider: Any, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        token = jwt.encode(self.claims(name="王工"), key, "RS256", headers={"kid": "k1"})
        assert self.identify(provider, token, monkeypatch).subject == "u1"

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "https://evil.example"},
            {"aud": "another-client"},
            {"aud": [APP, "another"], "azp": "another"},
            {"exp": 1_000_000_000},
            {"exp": None},
            {"iat": 4_000_000_000},
            {"nonce": "another"},
            {"nonce": None},
            {"sub": None},
            {"sub": ""},
        ],
    )
    def test_one_claim_wrong(
        self, provider: Any, key: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
    ) -> None:
        token = jwt.encode(self.claims(**changes), key, "RS256", headers={"kid": "k1"})
        with pytest.raises(NotIdentified):
            self.identify(provider, token, monkeypatch)

    def test_other_keys_and_algorithms(self, provider: Any, key: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        forged = [
            jwt.encode(self.claims(), stranger, "RS256", headers={"kid": "k1"}),
            jwt.encode(self.claims(), key, "RS256", headers={"kid": "k2"}),
            jwt.encode(self.claims(), SECRET * 4, "HS256", headers={"kid": "k1"}),
            jwt.encode(self.claims(), "", "none", headers={"kid": "k1"}),
            jwt.encode(self.claims(), key, "RS256", headers={"kid": "k1"})[:-6] + "AAAAAA",
            "not.a.token",
            "",
        ]
        for token in forged:
            with pytest.raises(NotIdentified):
                self.identify(provider, token, monkeypatch)

    def test_an_issuer_mixed_up_is_refused_before_its_code_is_sent(self, provider: Any) -> None:
        with pytest.raises(NotIdentified):
            oidc.identify(provider, {"code": "c", "iss": "https://evil.example"}, back=BACK, begun=oidc.Begun("n", "v"))

    def test_an_end_told_from_behind_ends_that_session_once(self, provider: Any, key: Any) -> None:
        user = User.objects.create_user("wang")
        ExternalIdentity.objects.create(user=user, provider="door", subject="u1")
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        now = {"began_at": "2026-11-22T00:00Z", "seen_at": "2026-11-22T00:00Z"}
        OpenSession.objects.create(
            user=user, session_key=client.session.session_key, how="door", provider_session="s1", **now
        )
        claims = self.claims(nonce=None, jti="j1", sid="s1", events={oidc.LOGOUT_EVENT: {}})
        for wrong in ({"events": {}}, {"nonce": "n"}, {"sid": "s2", "sub": "u2"}, {"iat": 1_700_000_000}):
            said = {**claims, **wrong, "jti": str(wrong)}
            Client().post(
                "/sign-in/with/door/ended", {"logout_token": jwt.encode(said, key, "RS256", headers={"kid": "k1"})}
            )
            assert client.get("/account").status_code == 200
        token = jwt.encode(claims, key, "RS256", headers={"kid": "k1"})
        assert Client().post("/sign-in/with/door/ended", {"logout_token": token}).status_code == 200
        assert client.get("/account").status_code == 302
        assert Client().post("/sign-in/with/door/ended", {"logout_token": token}).status_code == 401


def test_half_a_configuration_is_said_at_once(settings: Any) -> None:
    from django.core.exceptions import ImproperlyConfigured

    settings.SIGN_IN = {"door": {"kind": "oidc", "url": "https://id.example"}}
    with pytest.raises(ImproperlyConfigured, match="app, secret"):
        provider_named("door")


def test_the_only_way_in_is_not_unbound(client: Client) -> None:
    from services.access.signin.actions import unbind_identity

    user = User.objects.create_user("someone")
    user.set_unusable_password()
    user.save()
    ExternalIdentity.objects.create(user=user, provider="door", subject="u1")
    with pytest.raises(Conflict, match="唯一"):
        unbind_identity(user=user, provider="door")
