"""Favourites: on the device or on the account, merged on signing in, kept in order, noted, gone when asked; all without script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.scope import Scope
from services.access.models import User
from services.crypto.models import Secret
from services.facilities.models import Facility
from services.modules.finder import favourites
from services.modules.finder.models import Favourite
from services.modules.finder.personal_data import favourites as given_out
from services.modules.finder.personal_data import forget_favourites
from services.modules.finder.queries import favourite_ids, marked_places
from tests.services.modules.finder.conftest import Family, said

PUBLIC = Scope.public()


def shown(client: Client) -> list[int]:
    return [int(one) for one in re.findall(r'id="place-(\d+)"', said(client.get("/saved")))]


def mark(client: Client, **acts: Any) -> Any:
    return client.post("/saved/mark", acts | {"next": acts.get("next", "/places")})


@pytest.mark.covers("PRE-FIND-02b", via="services.modules.finder.favourites:keep_favourite")
def test_nurseries_and_parenting_stations_are_marked_stand_out_are_viewed_and_managed(
    family: Family, places: dict[str, Facility]
) -> None:
    nursery, station = places["nursery"], places["parenting_station"]
    for client in (family.device, family.signed_in()):
        # Marked on the page of the place, by the button that a phone without script posts too.
        for place in (nursery, station):
            page = said(client.get(f"/places/{place.pk}"))
            assert f'formaction="/saved/mark" name="keep" value="{place.pk}"' in page
            assert mark(client, keep=place.pk, next=f"/places/{place.pk}")["Location"] == f"/places/{place.pk}"
            page = said(client.get(f"/places/{place.pk}"))
            assert f'name="drop" value="{place.pk}" data-save="{place.pk}" aria-pressed="true"' in page
        # They stand out in the list, in the circle and in the search box, and one tap in the header leads to them.
        listed = said(client.get("/places", {"kinds": nursery.kind_id, "q": nursery.name}))
        assert re.search(rf'class="row[^"]* marked[^"]*" data-id="{nursery.pk}"', listed)
        circle = said(
            client.get("/", {"lon": nursery.geom.x, "lat": nursery.geom.y, "kinds": nursery.kind_id}, follow=True)
        )
        assert re.search(rf'class="row[^"]* marked[^"]*" data-id="{nursery.pk}"', circle)
        assert f'data-saved-ids="{station.pk}.{nursery.pk}"' in circle  # the map draws its stars from these
        assert "已收藏" in said(client.get("/find/suggest", {"q": nursery.name}))
        assert "<span data-saved-count>2</span>" in circle
        # Viewed: by kind, each with what leads on.
        page = said(client.get("/saved"))
        assert set(shown(client)) == {nursery.pk, station.pk}
        for place in (nursery, station):
            assert place.name in page
            assert place.address_text in page
            assert f'href="/places/{place.pk}"' in page
        assert page.index("托育机构 <span") < page.index("科学育儿指导站 <span")
        # Managed: taken off, with a way back.
        answer = mark(client, drop=station.pk, next="/saved")
        assert answer["Location"] == f"/saved?undo={station.pk}"
        assert shown(client) == [nursery.pk]
        assert f'name="keep" value="{station.pk}"' in said(client.get(answer["Location"]))
        mark(client, keep=station.pk, next="/saved")
        assert set(shown(client)) == {nursery.pk, station.pk}


def test_what_a_device_held_goes_to_the_account_and_is_the_same_on_every_device(
    family: Family, places: dict[str, Facility]
) -> None:
    nursery, home = places["nursery"], places["care_home"]
    other = family.signed_in()
    mark(other, keep=home.pk)
    mark(family.device, keep=nursery.pk)
    assert family.device.cookies["saved"].value == str(nursery.pk)
    here = family.signed_in(family.device)
    assert "已并到您的账号" in said(here.get("/saved"))
    assert set(shown(here)) == set(shown(other)) == {nursery.pk, home.pk}
    # The device holds nothing of its own any more: what is taken off the account does not come back, nor stay after signing out.
    mark(other, drop=nursery.pk)
    assert shown(here) == [home.pk]
    here.logout()
    assert shown(here) == []


def test_a_cookie_that_somebody_wrote_himself_marks_nothing_odd(family: Family, places: dict[str, Facility]) -> None:
    hidden = Facility.objects.filter(kind="nursery").exclude(pk=places["nursery"].pk).first()
    Facility.objects.filter(pk=hidden.pk).update(status="preparing")
    for text in ("1;2", "<script>", "9" * 400, "..", str(2**62)):
        family.device.cookies["saved"] = text
        assert shown(family.device) == []
    family.device.cookies["saved"] = f"{hidden.pk}.{places['nursery'].pk}.{places['nursery'].pk}"
    assert shown(family.device) == [places["nursery"].pk]
    assert hidden.name not in said(family.device.get("/saved"))
    signed = family.signed_in(family.device)
    signed.get("/saved")
    assert favourite_ids(family.user) == [places["nursery"].pk]
    assert mark(signed, keep=hidden.pk).status_code == 404
    assert mark(family.device, keep=10**17).status_code == 404
    assert mark(family.device, keep="x").status_code == 400


def test_a_place_that_closed_moved_or_left_the_list_says_so(family: Family, places: dict[str, Facility]) -> None:
    client = family.signed_in()
    for place in places.values():
        mark(client, keep=place.pk)
    nursery, station, home = places["nursery"], places["parenting_station"], places["care_home"]
    before = nursery.address_text
    nursery.address_text = "新路 1 号"
    nursery.save()
    Facility.objects.filter(pk=station.pk).update(status="closed")
    Facility.objects.filter(pk=home.pk).update(retired_at="2026-01-01T00:00Z")
    changed = {one.id: one.changed for one in marked_places(favourite_ids(family.user), scope=PUBLIC)}
    assert changed[nursery.pk] == f"地址变了，原来在 {before}"
    assert changed[station.pk] == "已经关闭"
    assert "不在本市目录" in changed[home.pk]
    page = said(client.get("/saved"))
    assert f"原来在 {before}" in page
    assert "已经关闭" in page
    assert home.name in page
    assert f'href="/places/{home.pk}"' not in page


def test_order_and_notes_are_kept_and_forgotten(family: Family, places: dict[str, Facility]) -> None:
    client = family.signed_in()
    first, second = Facility.objects.filter(kind="nursery", status="open").order_by("pk")[:2]
    for place in (second, first):
        mark(client, keep=place.pk)
    assert shown(client) == [first.pk, second.pk]
    client.post("/saved/arrange", {"down": first.pk})
    assert shown(client) == [second.pk, first.pk]
    client.post("/saved/note", {"place": first.pk, "note": "<b>朋友推荐</b>  离外婆家近"})
    page = said(client.get("/saved"))
    assert "&lt;b&gt;朋友推荐&lt;/b&gt; 离外婆家近" in page
    assert "<b>朋友推荐" not in page
    assert "推荐" not in str(list(Secret.objects.values_list("ciphertext", flat=True)))
    assert {row["机构"]: row["备注"] for row in given_out(family.user)}[first.name].endswith("离外婆家近")
    client.post("/saved/note", {"place": first.pk, "note": "长" * 101})
    assert "离外婆家近" in said(client.get("/saved"))
    assert (
        Client().post("/saved/note", {"place": first.pk, "note": "x"}, headers={"host": "localhost"}).status_code == 403
    )
    # A colleague of the same district sees nothing of it; erasing leaves nothing, not even sealed.
    other = User.objects.create(username="baba", display_name="陈先生", kind=family.user.kind)
    assert favourite_ids(other) == []
    assert forget_favourites(family.user) == 2
    assert Favourite.objects.count() == Secret.objects.filter(field="note").count() == 0


def test_a_device_puts_its_favourites_in_order_too_and_goes_back_to_pages_of_ours_only(
    family: Family, places: dict[str, Facility]
) -> None:
    first, second = Facility.objects.filter(kind="nursery", status="open").order_by("pk")[:2]
    for place in (second, places["care_home"], first):
        mark(family.device, keep=place.pk)
    family.device.post("/saved/arrange", {"up": second.pk})
    assert family.device.cookies["saved"].value == f"{second.pk}.{places['care_home'].pk}.{first.pk}"
    assert mark(family.device, drop=first.pk, next="https://example.com/")["Location"] == "/saved?undo=" + str(first.pk)
    assert mark(family.device, drop=second.pk, next="/places?q=x")["Location"] == "/places?q=x"


def test_two_hundred_are_enough(family: Family, places: dict[str, Facility], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(favourites, "MOST", 1)
    for client in (family.signed_in(), family.device):
        assert mark(client, keep=places["nursery"].pk).status_code == 302
        assert mark(client, keep=places["nursery"].pk).status_code == 302
        assert mark(client, keep=places["care_home"].pk).status_code == 429


KINDED = st.lists(st.tuples(st.integers(1, 30), st.sampled_from("ab")), unique_by=lambda pair: pair[0], max_size=8)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(KINDED, st.integers(0, 8), st.booleans())
def test_moving_exchanges_one_with_the_nearest_of_its_kind(pairs: list[tuple[int, str]], at: int, up: bool) -> None:
    kinds = dict(pairs)
    ids = list(kinds)
    one = ids[at] if at < len(ids) else 0
    order = favourites.moved(ids, kinds, one, up=up)
    same = [other for other in ids if kinds.get(other) == kinds.get(one)]
    expected = list(same)
    if one in same:
        here = same.index(one)
        to = here + (-1 if up else 1)
        if 0 <= to < len(same):
            expected[here], expected[to] = expected[to], expected[here]
    assert [other for other in order if other in same] == expected
    assert [other if other not in same else 0 for other in order] == [
        other if other not in same else 0 for other in ids
    ]
