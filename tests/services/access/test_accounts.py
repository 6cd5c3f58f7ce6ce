"""Accounts and roles at the desk: who keeps whom, what may be given, 受办分离, and roles lent to colleagues."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from services.access.accounts.actions import give_role, lend_grant, make_account, turn_account
from services.access.accounts.queries import colleagues_to_lend, own_grants
from services.access.actions import grant_role
from services.access.demo import make_demo_accounts
from services.access.models import AuditEntry, Grant, Organisation, User, UserKind
from services.access.queries import Caller, scope_of
from services.access.signin.models import ExternalIdentity
from services.integrations.identity.simulator import SOMEBODY, Simulator

DAY = dt.timedelta(days=1)


def as_user(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def scope(name: str) -> Any:
    return scope_of(Caller(User.objects.get(username=name)))


@pytest.fixture
def world(city: None) -> None:
    make_demo_accounts()


@pytest.mark.covers("ELD-BPL-04", "ELD-BPL-06", via="services.access.accounts.actions:_give")
def test_staff_are_made_given_roles_with_days_and_kept_apart_in_taking_in_and_handling(world: None) -> None:
    desk = as_user("qu")
    form = {"username": "li.clerk", "display_name": "李经办", "role": "street_clerk", "place": "310101"}
    made = desk.post("/desk/accounts/new", form).content.decode()
    password = re.findall(r'class="token">([^<]+)<', made)[0]
    assert password not in desk.get("/desk/accounts/of/li.clerk").content.decode()
    assert "李经办" in desk.get("/desk/accounts").content.decode()

    clerk = Client()
    entered = clerk.post("/sign-in", {"username": "li.clerk", "password": password})
    assert entered["Location"] == "/sign-in/new-password"
    clerk.post("/sign-in/new-password", {"new": "my-own-long-one", "again": "my-own-long-one"})
    assert clerk.get("/desk/knowledge").status_code == 200
    assert scope("li.clerk").holds("cases.street")

    # the roles form a system: duties by role, handling and taking in by different people, residents' roles for residents only
    roles = desk.get("/desk/accounts/roles").content.decode()
    assert all(word in roles for word in ("窗口受理", "街镇经办", "受办分离", "cases.street", "互联网用户"))
    mixed = desk.post("/desk/accounts/of/li.clerk/give", {"role": "intake_clerk", "place": "310101"})
    assert (mixed.status_code, "受理和办理要由不同的人负责" in mixed.content.decode()) == (409, True)
    assert desk.post("/desk/accounts/of/li.clerk/give", {"role": "resident", "place": "310101"}).status_code == 403

    # given for some days, and taken back at once
    today = timezone.localdate()
    days = {"from_day": f"{today + DAY:%F}", "to_day": f"{today + 2 * DAY:%F}"}
    desk.post("/desk/accounts/of/li.clerk/give", {"role": "district_manager", "place": "310101", **days})
    assert not scope("li.clerk").holds("templates.edit")
    with time_machine.travel(timezone.now() + DAY):
        assert scope("li.clerk").holds("templates.edit")
    with time_machine.travel(timezone.now() + 3 * DAY):
        assert not scope("li.clerk").holds("templates.edit")
    for grant in Grant.objects.filter(user__username="li.clerk"):
        desk.post("/desk/accounts/of/li.clerk/take", {"grant": grant.pk})
    assert scope("li.clerk").duties == frozenset()
    assert clerk.get("/desk/knowledge").status_code == 403
    acts = AuditEntry.objects.filter(actor="qu").values_list("act", flat=True)
    assert {"account_created", "role_granted", "grant_ended"} <= set(acts)


@pytest.mark.covers("ELD-BPL-05", "ELD-BPL-07", via="services.access.accounts.queries:accounts_visible")
def test_internet_users_are_kept_in_one_place_and_their_rights_too(world: None, settings: Any) -> None:
    with Simulator(app="quantu", secret="s" * 20) as simulator:
        settings.SIGN_IN = {"ssb": {"kind": "suishenban", "url": simulator.url, "app": "quantu", "secret": "s" * 20}}
        settings.INSIDE_HOSTS = ["127.0.0.1"]
        resident = Client()
        back = simulator.let_in("/auth/authorize", resident.get("/sign-in/with/ssb")["Location"].partition("?")[2])
        resident.get(back.removeprefix("http://testserver"))
    user = User.objects.get(kind=UserKind.RESIDENT, display_name=SOMEBODY.name)
    desk = as_user("shi")
    listed = desk.get("/desk/accounts?kind=resident").content.decode()
    assert SOMEBODY.name in listed
    assert SOMEBODY.identity_number not in listed
    page = desk.get(f"/desk/accounts/of/{user.username}").content.decode()
    assert "ssb" in page
    assert as_user("qu").get(f"/desk/accounts/of/{user.username}").status_code == 404

    # their rights: a resident's role is given and taken, a role of staff never
    assert (
        desk.post(f"/desk/accounts/of/{user.username}/give", {"role": "street_clerk", "place": "310101"}).status_code
        == 403
    )
    desk.post(f"/desk/accounts/of/{user.username}/give", {"role": "resident", "place": "310101"})
    assert scope(user.username).holds("self.view")
    desk.post(f"/desk/accounts/of/{user.username}/take", {"grant": Grant.objects.get(user=user).pk})
    assert not scope(user.username).holds("self.view")

    # stopped: out at once, and not in again
    assert resident.get("/account").status_code == 200
    desk.post(f"/desk/accounts/of/{user.username}/stop")
    assert resident.get("/account").status_code == 302
    assert ExternalIdentity.objects.filter(user=user).exists()
    desk.post(f"/desk/accounts/of/{user.username}/start")
    user.refresh_from_db()
    assert user.is_active


class TestNobodyGivesWhatHeDoesNotHold:
    @pytest.mark.parametrize(
        ("role", "place", "status"),
        [
            ("city_manager", "310101", 403),  # more than a district's
            ("planner", "310101", 403),
            ("street_clerk", "310110", 403),  # another district
            ("street_clerk", "310000", 403),  # the whole city
            ("street_clerk", "999999", 404),
            ("institution_head", "310101", 400),  # stands on an organisation
            ("nonsense", "310101", 403),
        ],
    )
    def test_a_district_keeper_gives_within_the_district(self, world: None, role: str, place: str, status: int) -> None:
        make_account(username="li", display_name="李", role="street_clerk", place="310101", scope=scope("qu"))
        before = Grant.objects.count()
        answer = as_user("qu").post("/desk/accounts/of/li/give", {"role": role, "place": place})
        assert answer.status_code == status
        assert Grant.objects.count() == before

    @pytest.mark.parametrize("act", ["give", "take", "stop", "password", "unlock", "second-step"])
    @pytest.mark.parametrize(
        ("actor", "whose", "status"), [("qu", "shi", 404), ("qu", "qu", 403), ("jiezhen", "jumin", 403)]
    )
    def test_wider_accounts_and_ones_own_are_out_of_reach(
        self, world: None, act: str, actor: str, whose: str, status: int
    ) -> None:
        before = User.objects.get(username=whose).password
        said = {"role": "street_clerk", "place": "310101", "grant": "1"}
        assert as_user(actor).post(f"/desk/accounts/of/{whose}/{act}", said).status_code == status
        assert User.objects.get(username=whose).password == before

    def test_one_who_also_works_elsewhere_is_kept_from_above(self, world: None) -> None:
        make_account(username="li", display_name="李", role="street_clerk", place="310101", scope=scope("qu"))
        assert as_user("qu").get("/desk/accounts/of/li").status_code == 200
        give_role(username="li", role="street_clerk", place="310110", scope=scope("shi"))
        assert as_user("qu").get("/desk/accounts/of/li").status_code == 404
        assert as_user("shi").get("/desk/accounts/of/li").status_code == 200

    def test_an_account_made_in_vain_leaves_nothing(self, world: None) -> None:
        form = {"username": "li", "display_name": "李", "role": "street_clerk", "place": "310110"}
        assert as_user("qu").post("/desk/accounts/new", form).status_code == 403
        assert not User.objects.filter(username="li").exists()


class TestLending:
    @pytest.fixture
    def colleague(self, world: None) -> User:
        user, _ = make_account(
            username="li", display_name="李", role="intake_clerk", place="310101", scope=scope("qu")
        )  # fmt: skip
        return user

    def lent(self, to: str = "li", days: int = 7) -> Grant:
        giver = User.objects.get(username="qu")
        today = timezone.localdate()
        return lend_grant(
            user=giver, grant_id=own_grants(giver)[0].pk, to=to, from_day=today, to_day=today + days * DAY
        )  # fmt: skip

    def test_it_holds_for_its_days_is_shown_at_both_sides_and_audited(self, colleague: User) -> None:
        giver = as_user("qu")
        grant, today = own_grants(User.objects.get(username="qu"))[0], timezone.localdate()
        answer = giver.post(
            "/account/lend", {"grant": grant.pk, "to": "li", "from_day": f"{today:%F}", "to_day": f"{today + 7 * DAY:%F}"}
        )  # fmt: skip
        assert answer.status_code == 302
        assert scope("li").holds("templates.edit")
        assert scope("li").paths == scope("qu").paths
        assert "李" in giver.get("/account/lend").content.decode()
        assert "黄浦区管理员" in as_user("li").get("/account/lend").content.decode()
        assert AuditEntry.objects.get(act="grant_lent").detail["account"] == "li"
        with time_machine.travel(timezone.now() + 8 * DAY):
            assert not scope("li").holds("templates.edit")

    @pytest.mark.parametrize("who", ["qu", "li"])
    def test_it_is_ended_from_either_side_at_once(self, colleague: User, who: str) -> None:
        grant = self.lent()
        assert as_user("jiezhen").post("/account/lend", {"end": grant.pk}).status_code == 404
        as_user(who).post("/account/lend", {"end": grant.pk})
        assert not scope("li").holds("templates.edit")

    def test_it_ends_with_the_lenders_own(self, colleague: User) -> None:
        self.lent()
        turn_account(username="qu", active=False, scope=scope("shi"))
        assert not scope("li").holds("templates.edit")
        turn_account(username="qu", active=True, scope=scope("shi"))
        assert scope("li").holds("templates.edit")
        Grant.objects.filter(user__username="qu").update(ended_at=timezone.now())
        assert not scope("li").holds("templates.edit")

    def test_what_is_borrowed_is_not_lent_on(self, colleague: User) -> None:
        grant = self.lent()
        assert grant not in own_grants(colleague)
        answer = as_user("li").post(
            "/account/lend", {"grant": grant.pk, "to": "jiezhen", "from_day": f"{timezone.localdate():%F}",
                              "to_day": f"{timezone.localdate():%F}"}
        )  # fmt: skip
        assert answer.status_code == 404

    def test_only_colleagues_of_the_place_and_nobody_elses_grant(self, colleague: User) -> None:
        giver = User.objects.get(username="qu")
        yangpu = User.objects.create_user("yangpu")
        grant_role(
            user=yangpu, role="street_clerk", organisation=Organisation.objects.create(name="外区"), granted_by="x"
        )
        names = {each.username for each in colleagues_to_lend(giver, own_grants(giver)[0])}
        assert "li" in names
        assert names.isdisjoint({"yangpu", "shi", "jumin", "qu"} - {"jumin"})
        for to in ("yangpu", "qu", "shi"):
            with pytest.raises(Exception, match="只能委托给"):
                self.lent(to)

    @pytest.mark.parametrize(("begin", "end"), [(-1, 3), (3, 1), (0, 200)])
    def test_odd_days_are_refused(self, colleague: User, begin: int, end: int) -> None:
        giver, today = User.objects.get(username="qu"), timezone.localdate()
        form = {
            "grant": own_grants(giver)[0].pk,
            "to": "li",
            "from_day": f"{today + begin * DAY:%F}",
            "to_day": f"{today + end * DAY:%F}",
        }
        assert as_user("qu").post("/account/lend", form).status_code == 400

    def test_no_longer_than_one_holds_it_oneself(self, colleague: User) -> None:
        Grant.objects.filter(user__username="qu").update(to_day=timezone.localdate() + 3 * DAY)
        with pytest.raises(Exception, match="委托不能更晚"):
            self.lent(days=4)
