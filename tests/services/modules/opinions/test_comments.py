"""Comments on places: written once by each, reviewed, answered once, flagged, averaged from three; markup stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from geo.errors import Conflict, TooMany
from services.access.models import User
from services.facilities.models import Facility
from services.kernel.messages.models import Message
from services.modules.opinions import actions
from services.modules.opinions.models import Comment, CommentFlag, CommentState
from services.modules.opinions.personal_data import comments, forget_comments
from services.modules.opinions.words import hints_in
from tests.services.modules.finder.conftest import Family, said, scope, staff
from tests.services.modules.opinions.conftest import WORDS, resident


def browser(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def write(client: Client, place: Facility, **fields: Any) -> Any:
    page = f"/places/{place.pk}/comment"
    seen = re.search(r'name="seen" value="(\d+)"', said(client.get(page)))
    assert seen
    return client.post(page, {"seen": seen[1], "overall": "4", "text": "饭菜软"} | fields)


def decide(place: Facility, state: str, clerk: Client | None = None, **fields: Any) -> Any:
    row = Comment.objects.filter(facility=place).latest("pk")
    return (clerk or staff("qu")).post(
        f"/desk/comments/{row.pk}", {"seen": str(row.version), "state": state, "reason": "请改一改"} | fields
    )


@pytest.mark.covers("ELD-RES-01f", via="services.modules.opinions.actions:write_comment")
def test_an_elder_comments_on_a_place_of_the_map_and_everybody_reads_it_once_reviewed(
    family: Family, home: Facility
) -> None:
    """From the page of a place on 养老一张图: a form with stars and words, reviewed by staff, then public on the place."""
    mama = family.signed_in()
    page = said(mama.get(f"/places/{home.pk}?theme=elder"))
    assert f'href="/places/{home.pk}/comment"' in page
    form = said(mama.get(f"/places/{home.pk}/comment"))
    for words in ("总体", "服务态度", "环境卫生", "走动方便", "收费明白", "想说的话"):
        assert words in form
    answer = write(mama, home, **{"text": WORDS, "aspect-care": "5"})
    assert answer["Location"] == "/elder/comments"
    row = Comment.objects.get()
    assert (row.overall, row.aspects, row.author, row.state) == (4, {"care": 5}, "陈**", CommentState.NEW)
    assert "13900001111" not in row.text
    # Nobody reads it before it was reviewed but its author.
    assert "饭菜软" not in said(family.device.get(f"/places/{home.pk}/comments"))
    assert "待审核" in said(mama.get("/elder/comments"))
    ledger = said(staff("qu").get("/desk/ledgers/place-comments"))
    assert home.name in ledger
    desk = said(staff("qu").get(f"/desk/comments/{row.pk}"))
    assert "号码已遮住" in desk  # a hint, no refusal
    assert decide(home, "published", reason="").status_code == 302
    for path in (f"/places/{home.pk}", f"/places/{home.pk}/comments"):
        shown = said(family.device.get(path))
        assert "饭菜软" in shown
        assert "陈**" in shown
        assert "陈女士" not in shown
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert" not in shown
    told = Message.objects.get(recipient=family.user)
    assert "已公开" in told.title
    assert told.link == f"/places/{home.pk}/comments"


def test_there_is_one_comment_of_each_and_a_changed_one_is_reviewed_again(family: Family, home: Facility) -> None:
    mama = family.signed_in()
    once = {"seen": "0", "overall": "4", "text": "好"}
    for _ in range(2):  # a double click
        assert mama.post(f"/places/{home.pk}/comment", once).status_code == 302
    assert Comment.objects.count() == 1
    decide(home, "published")
    late = mama.post(f"/places/{home.pk}/comment", {"seen": "0", "overall": "1", "text": "旧页面写的"})
    assert late.status_code == 409
    assert "旧页面写的" in said(late)
    assert Comment.objects.get().overall == 4
    assert write(mama, home, overall="2").status_code == 302
    row = Comment.objects.get()
    assert (row.overall, row.state) == (2, CommentState.NEW)
    assert "饭菜软" not in said(family.device.get(f"/places/{home.pk}"))
    assert mama.post(f"/places/{home.pk}/comment", {"act": "drop"}).status_code == 302
    assert not Comment.objects.exists()


def test_what_is_refused_is_said_and_keeps_what_was_typed(
    family: Family, home: Facility, places: dict[str, Facility], monkeypatch: pytest.MonkeyPatch
) -> None:
    mama = family.signed_in()
    assert family.device.get(f"/places/{home.pk}/comment").status_code == 302
    refused = {"请选总体": {"overall": "0"}, "最多五颗星": {"aspect-care": "9"}, "最多 500 个字": {"text": "长" * 501}}
    for words, fields in refused.items():
        answer = write(mama, home, **({"text": "周六也开"} | fields))
        assert answer.status_code in {400, 413, 422}, words
        assert words in said(answer)
        assert ("周六也开" in said(answer)) == ("text" not in fields)
    assert mama.get(f"/places/{places['nursery'].pk}/comment").status_code == 404
    own = browser(User.objects.get(username="yuanzhang"))
    assert write(own, home).status_code == 403
    assert not Comment.objects.exists()
    monkeypatch.setattr(actions, "A_DAY", 1)
    assert write(mama, home).status_code == 302
    with pytest.raises(TooMany):
        actions.count_writing(family.user)


def test_reviewers_decide_with_reasons_within_their_region_and_the_slower_one_is_told(
    family: Family, home: Facility
) -> None:
    write(family.signed_in(), home)
    row = Comment.objects.get()
    clerk = staff("qu")
    assert staff("jigou").get(f"/desk/comments/{row.pk}").status_code == 403
    assert clerk.get(f"/desk/comments/{row.pk + 1}").status_code == 404
    assert "请写一句为什么" in said(decide(home, "refused", reason=" "))
    assert "不能这样改" in said(decide(home, "taken_down"))
    assert decide(home, "refused").status_code == 302
    assert "请改一改" in said(family.signed_in().get("/elder/comments"))
    assert decide(home, "published", seen="1").status_code == 409
    assert decide(home, "published").status_code == 302
    assert decide(home, "taken_down").status_code == 302
    assert "没有点评" in said(family.device.get(f"/places/{home.pk}"))
    assert Comment.objects.get().unfit_since is not None
    titles = [one.title for one in Message.objects.filter(recipient=family.user).order_by("pk")]
    assert [title.rpartition("：")[2] for title in titles] == ["没有通过", "已公开", "已撤下"]


def test_the_institution_answers_once_and_its_answer_is_reviewed(family: Family, home: Facility) -> None:
    write(family.signed_in(), home)
    row = Comment.objects.get()
    head = browser(User.objects.get(username="yuanzhang"))
    reply = {"place": str(home.pk), "reply": "谢谢您，周六也开了。"}
    assert head.post(f"/comments/{row.pk}/reply", reply).status_code == 404  # not public yet
    decide(home, "published")
    assert Message.objects.filter(recipient__username="yuanzhang", title__contains="收到一条点评").count() == 1
    assert "答复这条点评" in said(head.get(f"/places/{home.pk}/comments"))
    assert "答复这条点评" not in said(family.signed_in().get(f"/places/{home.pk}/comments"))
    assert family.signed_in().post(f"/comments/{row.pk}/reply", reply).status_code == 403
    assert "请写一句答复" in said(head.post(f"/comments/{row.pk}/reply", reply | {"reply": " "}))
    for _ in range(2):
        assert head.post(f"/comments/{row.pk}/reply", reply).status_code == 302
    assert "周六也开了" not in said(family.device.get(f"/places/{home.pk}/comments"))
    assert "请写一句为什么" in said(decide(home, "refused", of="reply", reason=""))
    assert decide(home, "refused", of="reply").status_code == 302
    assert "上次的答复没有通过" in said(head.get(f"/places/{home.pk}/comments"))
    head.post(f"/comments/{row.pk}/reply", reply)
    assert decide(home, "published", of="reply").status_code == 302
    assert "周六也开了" in said(family.device.get(f"/places/{home.pk}"))
    assert Message.objects.filter(recipient=family.user, title__contains="答复了您的点评").count() == 1
    with pytest.raises(Conflict):
        actions.reply_to_comment(pk=row.pk, text="再说一句", scope=scope("yuanzhang"))


def test_means_begin_with_three_and_flags_count_once_for_each(family: Family, home: Facility) -> None:
    people = [resident(f"lao-{at}", f"张老{at}") for at in range(3)]
    for at, user in enumerate(people):
        write(browser(user), home, overall=str(3 + at), **{"aspect-care": "5"})
        decide(home, "published")
        page = said(family.device.get(f"/places/{home.pk}"))
        assert ("满 3 条才显示平均分" in page) == (at < 2)
    assert "<b>4.0</b>" in page
    assert "5.0" in page
    row = Comment.objects.order_by("pk")[0]
    client = family.signed_in()
    for why in ("advert", "abuse"):
        assert client.post(f"/comments/{row.pk}/flag", {"why": why}).status_code == 302
    assert client.post(f"/comments/{row.pk}/flag", {"why": "colour"}).status_code in {400, 422}
    row.refresh_from_db()
    assert (row.flags, CommentFlag.objects.get().why) == (1, "advert")
    assert "被举报 1 次" in said(staff("qu").get(f"/desk/comments/{row.pk}"))


def test_what_is_kept_of_an_author_is_told_and_forgotten(family: Family, home: Facility) -> None:
    write(family.signed_in(), home)
    decide(home, "published")
    assert [one["点评"] for one in comments(family.user)] == ["饭菜软"]
    columns = {field.name for field in Comment.events.rel.related_model._meta.get_fields()}
    assert not {"text", "user", "author", "aspects"} & columns  # history tells decisions, never words or people
    assert forget_comments(family.user) == 1
    assert "饭菜软" not in said(family.device.get(f"/places/{home.pk}"))


def test_hints_name_what_to_look_at_and_nothing_else() -> None:
    assert hints_in("加微信 看 http://x") == ["“加微信”像广告", "“http”有网址"]
    assert hints_in("饭菜软，人也和气") == []
