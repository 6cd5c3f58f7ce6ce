"""From a password to a session: the second step, passwords others gave, limits of sessions, lockout and unlocking."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from django.test import Client

from services.access.actions import declare_roles, grant_role
from services.access.models import AuditEntry, Organisation, User
from services.access.signin import actions, flow
from services.access.signin.actions import confirm_second_step, drop_second_step, propose_second_step, unlock
from services.access.signin.models import OpenSession, RecoveryCode, SecondStep
from services.access.signin.onetime import STEP_S, code_at
from services.access.signin.queries import is_locked
from services.crypto.models import Secret

pytestmark = pytest.mark.django_db
PASSWORD = "a-good-long-one"


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", password=PASSWORD)


@pytest.fixture
def manager() -> User:
    declare_roles()
    user = User.objects.create_user("manager", password=PASSWORD)
    grant_role(user=user, role="district_manager", organisation=Organisation.objects.create(name="区"), granted_by="x")
    return user


def enter(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in", {"username": name, "password": password}, **more)


def inside(client: Client) -> bool:
    return client.get("/account").status_code == 200


def now_code(secret: str, ahead: int = 0) -> str:
    return code_at(secret, int(time.time()) // STEP_S + ahead)


class TestSecondStep:
    def test_a_role_that_asks_for_one_has_it_set_up_before_anybody_is_in(self, manager: User) -> None:
        client = Client()
        assert enter(client, "manager")["Location"] == "/sign-in/set-up"
        assert not inside(client)
        page = client.get("/sign-in/set-up").content.decode()
        secret = re.findall(r'class="token">([A-Z2-7 ]+)<', page)[0].replace(" ", "")
        assert client.post("/sign-in/set-up", {"code": "000000"}).status_code == 400
        assert not inside(client)
        done = client.post("/sign-in/set-up", {"code": now_code(secret)}).content.decode()
        assert len(re.findall(r'class="token">([^<]+)<', done)) == 10
        assert inside(client)
        assert secret not in str(list(SecondStep.objects.values())) + str(list(Secret.objects.values()))

    def test_then_the_password_alone_opens_nothing_and_each_code_opens_once(self, clerk: User) -> None:
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        first, second = Client(), Client()
        for client in (first, second):
            assert enter(client, "clerk")["Location"] == "/sign-in/code"
            assert not inside(client)
        code = now_code(secret)
        assert first.post("/sign-in/code", {"code": code}).status_code == 302
        assert inside(first)
        assert second.post("/sign-in/code", {"code": code}).status_code == 400
        assert not inside(second)

    def test_a_recovery_code_opens_once_and_is_told_in_the_log(self, clerk: User) -> None:
        secret = propose_second_step(user=clerk)
        codes = confirm_second_step(user=clerk, code=now_code(secret))
        for expected in (True, False):
            client = Client()
            enter(client, "clerk")
            client.post("/sign-in/code", {"code": codes[3].upper()})
            assert inside(client) is expected
        assert AuditEntry.objects.filter(act="recovery_used").count() == 1
        assert RecoveryCode.objects.filter(used_at=None).count() == 9

    def test_five_wrong_codes_lock_even_the_right_one(self, clerk: User) -> None:
        secret = propose_second_step(user=clerk)
        confirm_second_step(user=clerk, code=now_code(secret, -1))
        client = Client()
        enter(client, "clerk")
        statuses = [client.post("/sign-in/code", {"code": "000000"}).status_code for _ in range(6)]
        assert statuses == [400, 400, 400, 400, 400, 429]
        again = Client()  # a new try does not begin anew
        enter(again, "clerk")
        assert again.post("/sign-in/code", {"code": now_code(secret)}).status_code == 429
        assert not inside(again)

    def test_pages_of_the_way_in_are_for_those_on_it(self, clerk: User) -> None:
        client = Client()
        for path in ("/sign-in/code", "/sign-in/set-up", "/sign-in/new-password"):
            assert client.get(path)["Location"] == "/sign-in"
        enter(client, "clerk")
        with time_machine.travel(time.time() + 1_000):
            assert client.get("/sign-in/code")["Location"] == "/sign-in"

    def test_it_is_turned_off_with_a_code_unless_a_role_asks_for_it(self, manager: User, clerk: User) -> None:
        for user, gone in ((manager, False), (clerk, True)):
            secret = propose_second_step(user=user)
            confirm_second_step(user=user, code=now_code(secret, -1))
            client = Client()
            enter(client, user.username)
            client.post("/sign-in/code", {"code": now_code(secret)})
            client.post("/account/second-step/off", {"code": "000000"})
            assert SecondStep.objects.filter(user=user).exists()
            client.post("/account/second-step/off", {"code": now_code(secret, 1)})
            assert SecondStep.objects.filter(user=user).exists() is not gone
        drop_second_step(user=manager, by="shi")  # a lost telephone
        assert not SecondStep.objects.exists()


class TestPassword:
    def test_one_that_somebody_gave_is_changed_before_anything_else(self, clerk: User) -> None:
        User.objects.update(password_given=True)
        client = Client()
        assert enter(client, "clerk")["Location"] == "/sign-in/new-password"
        assert not inside(client)
        for new, again in (
            (PASSWORD, PASSWORD),
            ("short", "short"),
            ("password123", "password123"),
            ("a-new-one-1", "b"),
        ):
            assert client.post("/sign-in/new-password", {"new": new, "again": again}).status_code == 400
        client.post("/sign-in/new-password", {"new": "a-newer-long-one", "again": "a-newer-long-one"})
        assert inside(client)
        assert enter(Client(), "clerk").status_code == 200  # the old one is gone

    def test_changing_it_ends_the_other_sessions_and_keeps_this_one(self, clerk: User) -> None:
        here, there = Client(), Client()
        enter(here, "clerk")
        enter(there, "clerk")
        wrong = {"old": "wrong", "new": "a-newer-long-one", "again": "a-newer-long-one"}
        assert here.post("/account/password", wrong).status_code == 400
        here.post("/account/password", {**wrong, "old": PASSWORD})
        assert (inside(here), inside(there)) == (True, False)
        assert OpenSession.objects.get().session_key == here.session.session_key


class TestSessions:
    def test_one_that_idles_ends_and_one_that_works_goes_on(self, clerk: User) -> None:
        client, begun = Client(), time.time()
        enter(client, "clerk")
        for minutes in (50, 100, 150):
            with time_machine.travel(begun + minutes * 60):
                assert inside(client)
        with time_machine.travel(begun + 211 * 60):
            answer = client.get("/account", follow=True)
            assert "太久没有操作" in answer.content.decode()
            assert not inside(client)

    def test_none_lasts_longer_than_half_a_day_whatever_happens_in_it(self, clerk: User) -> None:
        client, begun = Client(), time.time()
        enter(client, "clerk")
        for minutes in range(50, 720, 50):
            with time_machine.travel(begun + minutes * 60):
                assert inside(client)
        with time_machine.travel(begun + 721 * 60):
            assert not inside(client)

    def test_the_sixth_ends_the_oldest(self, clerk: User, monkeypatch: pytest.MonkeyPatch) -> None:
        clients = [Client() for _ in range(actions.MOST_SESSIONS + 1)]
        for number, client in enumerate(clients):
            with time_machine.travel(time.time() + number):
                enter(client, "clerk")
        assert [inside(client) for client in clients] == [False] + [True] * actions.MOST_SESSIONS

    def test_they_are_listed_and_ended_by_their_owner_and_nobody_else(self, clerk: User) -> None:
        here, phone, other = Client(), Client(), Client()
        User.objects.create_user("other", password=PASSWORD)
        enter(
            here,
            "clerk",
            headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120", "X-Real-IP": "203.0.113.5"},
        )
        enter(phone, "clerk", headers={"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8"})
        enter(other, "other")
        page = here.get("/account").content.decode()
        assert "Chrome · Windows" in page
        assert "微信 · iPhone" in page
        assert "203.0.113.5" in page
        uid = OpenSession.objects.get(agent__startswith="微信").pk
        assert other.post(f"/account/sessions/{uid}/end").status_code == 404
        assert inside(phone)
        here.post(f"/account/sessions/{uid}/end")
        assert (inside(here), inside(phone)) == (True, False)
        enter(phone, "clerk")
        here.post("/account/sessions/end")
        assert (inside(here), inside(phone), inside(other)) == (True, False, True)

    def test_a_session_is_new_after_signing_in(self, clerk: User) -> None:
        client = Client()
        client.get("/sign-in")
        session = client.session
        session["planted"] = 1
        session.save()
        before = session.session_key
        client.cookies["sessionid"] = before
        enter(client, "clerk")
        assert client.session.session_key != before
        assert flow.PENDING not in client.session


class TestLockout:
    def test_it_is_undone_by_staff_and_says_what_to_do(self, clerk: User) -> None:
        client = Client()
        for _ in range(5):
            locked = enter(client, "clerk", "wrong")
        assert locked.status_code == 429
        assert "管理员也可以提前解锁" in locked.content.decode()
        assert is_locked(clerk)
        assert enter(client, "clerk").status_code == 429
        unlock(user=clerk, by="shi")
        assert not is_locked(clerk)
        assert enter(client, "clerk").status_code == 302
        assert AuditEntry.objects.get(act="unlocked").detail == {"account": "clerk"}

    def test_an_unknown_name_reads_and_locks_like_a_known_one(self, clerk: User) -> None:
        known, unknown = Client(), Client()
        for _ in range(5):
            pages = [enter(known, "clerk", "wrong"), enter(unknown, "nobody", "wrong")]
            assert pages[0].status_code == pages[1].status_code
            said = [re.sub(r'value="[^"]*"', "", page.content.decode()) for page in pages]
            assert said[0] == said[1]

    def test_another_address_is_not_locked_out_with_the_attacker(self, clerk: User) -> None:
        for _ in range(6):
            enter(Client(), "clerk", "wrong", headers={"X-Real-IP": "198.51.100.66"})
        mine = Client()
        assert enter(mine, "clerk", headers={"X-Real-IP": "203.0.113.5"}).status_code == 302
