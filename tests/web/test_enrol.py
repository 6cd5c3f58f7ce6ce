"""What 入园 keeps to itself: no address by link, no page in a cache, no draft for anybody, no answer told beyond its limits."""

from __future__ import annotations

import pytest
from django.test import Client

from geo.scope import Scope
from services.access.models import User, UserKind
from services.catchments.models import CatchmentEdition
from services.kernel.forms.actions import save_draft
from services.kernel.forms.models import Submission
from tests.e2e import enrolling
from tests.services.catchments.registrations import begun

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def parent() -> Client:
    return Client(REMOTE_ADDR="203.0.113.9")


def asked(client: Client, address: str, **more: str) -> str:
    answer = client.post("/enrol", {"entry": "local", "year": "2027", "address": address, **more})
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_address_in_a_link_is_neither_read_nor_shown(parent: Client) -> None:
    one = enrolling.one()
    answer = parent.get("/enrol", {"entry": "local", "address": f"{one.address}（密）"})
    assert answer.status_code == 200
    assert "data-outcome" not in answer.content.decode()
    assert "（密）" not in answer.content.decode()
    assert parent.get("/enrol/suggest", {"address": one.address}).status_code == 405
    assert parent.get("/enrol/check").status_code == 405


def test_no_cache_keeps_an_answer(parent: Client) -> None:
    answer = parent.post("/enrol", {"entry": "local", "address": enrolling.one().address})
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]


@pytest.mark.parametrize(("address", "said"), [("", "请写出要查的地址"), ("黄" * 201, "地址最多 200 个字")])
def test_what_is_no_address_is_told(parent: Client, address: str, said: str) -> None:
    answer = parent.post("/enrol", {"entry": "local", "address": address})
    assert answer.status_code == 422 or answer.status_code == 400
    assert said in answer.content.decode()


def test_an_entry_and_a_year_that_cannot_be_meant_are_taken_as_usual(parent: Client) -> None:
    one = enrolling.one()
    page = parent.post("/enrol", {"entry": "weiss", "year": "1999", "address": one.address}).content.decode()
    assert one.names[0] in page
    assert "户口和住址一致 · 2027 年入园" in page


def test_what_is_typed_cannot_write_markup(parent: Client) -> None:
    assert "<b>路</b>" not in asked(parent, "<b>路</b>1号")


def test_where_several_districts_have_the_address_one_is_chosen(parent: Client) -> None:
    one = enrolling.one()
    away = asked(parent, one.address.removeprefix("黄浦区"), district="310101")
    assert one.names[0] in away


def test_the_rules_of_a_draft_are_nobodys_to_read(parent: Client) -> None:
    draft = CatchmentEdition.objects.get(state="draft")
    published = draft.begun_from
    assert published is not None
    assert parent.get(f"/enrol/rules/{draft.pk}").status_code == 404
    assert parent.get(f"/enrol/rules/{published.pk}").status_code == 200
    assert parent.get(f"/enrol/rules/{published.pk}", {"place": "99999999999999999999", "page": "x"}).status_code == 200


def test_a_check_without_an_account_leaves_nothing(parent: Client) -> None:
    answer = parent.post("/enrol/check", {"entry": "local", "year": "2027", "address": enrolling.one().address})
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in?next=%2Fenrol%3Fentry%3Dlocal%26year%3D2027"
    assert not Submission.objects.exists()


def test_a_check_asked_for_twice_is_one_and_an_unknown_address_none(parent: Client) -> None:
    from services.access.demo import make_demo_accounts
    from services.access.models import User

    make_demo_accounts()
    parent.force_login(User.objects.get(username="jumin"))
    form = {"entry": "local", "year": "2027", "key": "0199b2c4-0000-7000-8000-000000000001"}
    first = parent.post("/enrol/check", {**form, "address": enrolling.one().address})
    again = parent.post("/enrol/check", {**form, "address": enrolling.one().address})
    assert first["Location"] == again["Location"] == "/forms/fill/0199b2c4-0000-7000-8000-000000000001"
    assert Submission.objects.count() == 1
    strange = parent.post("/enrol/check", {**form, "key": "", "address": enrolling.UNKNOWN.address})
    assert strange["Location"] == "/enrol?entry=local&year=2027"
    assert Submission.objects.count() == 1


def test_one_caller_may_not_ask_without_end(parent: Client) -> None:
    codes = [parent.post("/enrol/suggest", {"address": ""}).status_code for _ in range(245)]
    assert set(codes[:200]) == {200}
    assert codes[-1] == 429


def test_a_point_of_the_map_comes_by_post_and_is_in_no_cache(parent: Client) -> None:
    assert parent.get("/enrol/doors", {"lon": "121.49", "lat": "31.23"}).status_code == 405
    answer = parent.post("/enrol/doors", {"address": enrolling.one().address})
    assert "no-store" in answer["Cache-Control"]
    assert f'data-address="{enrolling.one().address}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"lon": "nan", "lat": "31.23"}, "这里不在上海市"),
        ({"lon": "东", "lat": ""}, "这里不在上海市"),
        ({"lon": "121.49", "lat": "31.23", "crs": "mars"}, "这里不在上海市"),
        ({"lon": "0", "lat": "0"}, "这里不在上海市"),
        ({"address": "没有这条路8号"}, "没有在地图上找到写的地址"),
        ({"address": ""}, "没有在地图上找到写的地址"),
    ],
)
def test_a_point_that_is_none_is_told_what_to_do(parent: Client, sent: dict[str, str], said: str) -> None:
    answer = parent.post("/enrol/doors", sent)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert "enrol-pick" not in answer.content.decode()


def test_the_address_of_ones_own_registration_is_chosen_not_typed_again(parent: Client) -> None:
    one = enrolling.one()
    home = f"上海市{one.address}203室"
    mother, stranger = (User.objects.create_user(name, kind=UserKind.RESIDENT) for name in ("mama", "other"))
    row = begun(mother)
    who = Scope(duties=frozenset({"self.view"}), actor="mama")
    said = {"same_address": True, "hukou_address": home, "hukou_category": "local"}
    save_draft(submission_id=row.pk, answers=said, seen=row.version, scope=who)
    assert "用我登记过的地址" not in parent.get("/enrol").content.decode()  # nobody is signed in

    parent.force_login(mother)
    offered = parent.get("/enrol").content.decode()
    assert "用我登记过的地址" in offered
    assert home not in offered  # nothing is opened before it is asked for
    page = parent.post("/enrol/own", {"year": "2027"})
    assert "no-store" in page["Cache-Control"]
    shown = page.content.decode()
    assert f'name="address" value="{home}"' in shown
    assert "登记表草稿" in shown
    assert one.names[0] in asked(parent, home)

    parent.force_login(stranger)
    assert "用我登记过的地址" not in parent.get("/enrol").content.decode()
    empty = parent.post("/enrol/own", {"year": "2027"}).content.decode()
    assert home not in empty
    assert "您的登记表里还没有写地址" in empty
    parent.logout()
    assert parent.post("/enrol/own").status_code == 302
