"""The settings of the list: what is hidden, renamed, added, limited and ordered, previewed, published at once, taken back."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from services.access.demo import make_demo_accounts
from services.access.models import User
from services.facilities.arranging.models import ArrangementVersion
from services.facilities.arranging.sheets import declared_sheet, spare_filters
from services.facilities.kinds import kinds_of_group
from services.facilities.models import Facility

pytestmark = pytest.mark.usefixtures("city")
PAGE = "/desk/finder/childcare/all"
HERE = {"lon": "121.4737", "lat": "31.2304", "kinds": "childcare"}


def signed_in(name: str) -> Client:
    make_demo_accounts()
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def listed(**params: str) -> str:
    """Return the list as somebody sees it who is not signed in."""
    return text(Client(headers={"host": "localhost"}).get("/places", HERE | params))


def posted(client: Client, act: str, page: str = PAGE, **changes: Any) -> str:
    """Press a button of the page as it stands, with some of its fields changed; ``None`` leaves one out."""
    shown = client.get(page).content.decode()
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", shown):
        said = {key: html.unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if said.get("type") == "checkbox" and " checked" not in tag:
            continue
        if "name" in said and said["name"] not in {"q", "csrfmiddlewaretoken"}:
            fields.setdefault(said["name"], []).append(said.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', shown, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    fields |= changes
    answer = client.post(
        page, {key: value for key, value in fields.items() if value is not None} | {"act": act}, follow=True
    )
    return text(answer)


def choices(page: str, name: str) -> list[str]:
    found = re.search(rf'<select[^>]*name="{name}"[^>]*>(.*?)</select>', page, re.S)
    return re.findall(r"<option[^>]*>([^<]*)</option>", found[1]) if found else []


@pytest.mark.covers("PRE-FIND-04", via="services.facilities.arranging.actions:publish_draft")
def test_managers_set_orders_and_filters_and_families_see_it_at_once() -> None:
    childcare = [kind.key for kind in kinds_of_group("childcare")]
    generous = Facility.objects.filter(kind__in=childcare, retired_at=None, status="open").order_by("pk").first()
    assert generous is not None
    Facility.objects.filter(pk=generous.pk).update(attributes=generous.attributes | {"free_visits_year": 24})
    shi, usual = signed_in("shi"), listed()
    assert "供餐情况" in usual
    assert "每年免费次数" not in usual
    assert 'max="216"' in usual
    assert choices(usual, "within")[1].startswith("500 米内")
    posted(shi, "add", added="least_free_visits_year")
    posted(shi, "up:order:fee")
    page = posted(
        shi, "save", **{
            "f.meals.shown": None, "f.inclusive.label": "价格普惠", "f.within.figures": "800，1600",
            "f.age_months.least": "2", "f.age_months.most": "40", "f.service_form.word.full_day": "整天",
            "f.least_free_visits_year.label": "免费次数", "f.least_free_visits_year.figures": "6,20",
            "o.grade.shown": None, "o.fee.label": "便宜的在前", "first_order": "fee", "navigation_app": "baidu_web",
        }
    )  # fmt: skip
    for said in ("关闭筛选“供餐情况”", "新增筛选“免费次数”", "默认排序：收费低的在前", "“距离范围”的选项变了"):
        assert said in page
    assert "供餐情况" in listed()  # a draft changes nothing for families
    draft = ArrangementVersion.objects.get()
    preview = text(shi.get("/places", HERE | {"arrangement": str(draft.pk)}))
    assert "您在预览" in preview
    assert "供餐情况" not in preview
    stranger = Client(headers={"host": "localhost"}).get("/places", HERE | {"arrangement": str(draft.pk)})
    assert stranger.status_code in {302, 401, 403}

    assert "第 1 版已发布" in posted(shi, "publish", note="按家长意见")
    now = listed()
    assert "供餐情况" not in now
    assert "价格普惠" in now
    assert "整天" in now
    assert [word.partition("（")[0] for word in choices(now, "within")] == ["不限", "800 米内", "1.6 公里内"]
    assert 'min="2" max="40"' in now
    orders = choices(now, "order")
    assert "等级高的在前" not in orders
    assert "便宜的在前" in orders
    assert re.search(r'<option value="fee" selected>便宜的在前', now)
    assert [word.partition("（")[0] for word in choices(now, "least_free_visits_year")] == [
        "不限", "不少于 6 次", "不少于 20 次",
    ]  # fmt: skip
    narrowed = listed(least_free_visits_year="20")
    assert ">1 家<" in narrowed
    assert generous.name in narrowed
    assert (
        "uri.amap.com"
        not in text(Client(headers={"host": "localhost"}).get(f"/places/{generous.pk}")).partition("换个地图")[0]
    )
    # a kept address with a filter that is hidden by now narrows nothing unseen
    count = re.search(r'role="status">(\d+) 家', now)
    assert count is not None
    assert f">{count[1]} 家<" in listed(meals="1")


def test_an_entry_has_its_own_and_gives_it_back() -> None:
    shi = signed_in("shi")
    page = PAGE.replace("/all", "/web")
    assert "与全部入口相同" in text(shi.get("/desk/finder"))
    posted(shi, "publish", page=page, **{"f.meals.shown": None})
    assert "供餐情况" not in listed()
    assert "已撤回这里的设置" in posted(shi, "declared", page=page)
    assert "供餐情况" in listed()
    first = ArrangementVersion.objects.get(number=1)
    assert "已按第 1 版起草" in posted(shi, f"again:{first.pk}", page=page)
    assert "草稿已放弃" in posted(shi, "discard", page=page)
    assert "供餐情况" in listed()


def test_what_cannot_be_published_is_said_and_kept() -> None:
    shi = signed_in("shi")
    page = posted(shi, "publish", **{"f.within.figures": "3000,1000", "o.name.shown": None, "first_order": "fit"})
    assert "选项要由小到大，不能重复。" in page
    assert "“按名称”要保留" in page
    assert not ArrangementVersion.objects.exclude(published_at=None).exists()
    assert "3000,1000" in text(shi.get(PAGE))
    assert "两头都要填整数" in posted(shi, "save", **{"f.fee.least": "abc", "f.fee.most": "3"})


def test_two_managers_at_one_draft_are_told_and_nothing_is_lost() -> None:
    shi = signed_in("shi")
    posted(shi, "save", note="")
    assert "刚被别人改过" in posted(shi, "save", revision="0", **{"f.meals.label": "吃饭"})
    assert ArrangementVersion.objects.get().revision == 1


@pytest.mark.parametrize("name", ["qu", "jiezhen", "jumin"])
def test_only_managers_of_the_city_may_set_it(name: str) -> None:
    client = signed_in(name)
    assert client.get("/desk/finder").status_code == 403
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"act": "publish"}).status_code == 403
    assert not ArrangementVersion.objects.exists()


def test_a_list_that_is_not_there_is_not_found() -> None:
    shi = signed_in("shi")
    for path in ("/desk/finder/nothing/all", "/desk/finder/childcare/radio"):
        assert shi.get(path).status_code == 404


def test_every_group_has_filters_and_only_fitting_ones_may_be_added() -> None:
    assert {line.key for line in declared_sheet("eldercare").filters} >= {"within", "district", "fee", "memory_care"}
    assert set(spare_filters("childcare")) == {"least_free_visits_year", "most_fee_hour_yuan"}
    assert set(spare_filters("eldercare")) == {"least_beds", "most_meal_price_yuan"}


@pytest.mark.covers("PRE-FIND-04", via="services.facilities.arranging.queries:sheet_for")
def test_one_kind_has_its_own_before_its_group_and_falls_back_to_it() -> None:
    """The sorts, filters, wording and ranges of one kind are set apart, previewed, effective at once and taken back."""
    shi, nursery = signed_in("shi"), PAGE.replace("childcare", "nursery")
    posted(shi, "publish", **{"f.meals.shown": None, "f.inclusive.label": "价格普惠", "first_order": "fee"})
    assert "供餐情况" not in listed(kinds="nursery"), "a kind without its own falls back to its group"
    opened = shi.get("/desk/finder", {"kinds": "nursery", "entry": ""})
    assert opened["Location"] == nursery
    page = text(shi.get(nursery))
    assert "现在生效的是“托育”的第 1 版" in page
    assert "没有发布自己的设置时" in page
    page = posted(
        shi, "save", page=nursery, **{
            "f.meals.shown": "1", "f.inclusive.label": "普惠园", "f.age_months.least": "3", "f.age_months.most": "36",
            "o.grade.shown": None, "o.name.label": "按拼音", "first_order": "name", "navigation_app": "baidu_web",
        }
    )  # fmt: skip
    for said in ("显示筛选“供餐情况”", "关闭排序“等级高的在前”", "默认排序：按名称"):
        assert said in page
    assert "供餐情况" not in listed(kinds="nursery"), "a draft changes nothing for families"
    draft = ArrangementVersion.objects.get(kinds="nursery")
    preview = text(shi.get("/places", HERE | {"kinds": "nursery", "arrangement": str(draft.pk)}))
    assert "您在预览" in preview
    assert "普惠园" in preview

    assert "第 1 版已发布" in posted(shi, "publish", page=nursery, note="托育机构单独设置")
    now, group, other = (listed(kinds=kinds) for kinds in ("nursery", "childcare", "creche"))
    assert "供餐情况" in now
    assert "普惠园" in now
    assert 'min="3" max="36"' in now
    assert "按拼音" in choices(now, "order")
    assert "等级高的在前" not in choices(now, "order")
    assert re.search(r'<option value="name" selected>按拼音', now)
    for others in (group, other):
        assert "供餐情况" not in others
        assert "价格普惠" in others
        assert "普惠园" not in others
        assert "等级高的在前" in choices(others, "order")
    home = Client(headers={"host": "localhost"})
    assert "普惠园" in text(home.get("/", HERE | {"kinds": "nursery"}))
    assert "普惠园" not in text(home.get("/", HERE | {"kinds": "childcare"}))
    place = Facility.objects.filter(kind="nursery", retired_at=None, status="open").order_by("pk").first()
    assert place is not None
    assert "uri.amap.com" not in text(home.get(f"/places/{place.pk}")).partition("换个地图")[0]

    # What the group publishes from now on passes the kind by; the overview and the page of the group say so.
    posted(shi, "publish", **{"f.inclusive.label": "实惠"})
    assert "实惠" in listed(kinds="creche")
    assert "普惠园" in listed(kinds="nursery")
    assert "托育机构有自己的设置，不随这里改变" in text(shi.get(PAGE))
    assert '<tr class="arranged-kind"><th scope="row" data-head="类别">' in text(shi.get("/desk/finder"))

    # The entry itself goes before all entries of the kind, and the kind before an entry of its group.
    posted(shi, "publish", page=PAGE.replace("/all", "/web"), **{"f.inclusive.label": "网页普惠"})
    assert "普惠园" in listed(kinds="nursery")
    assert "网页普惠" in listed(kinds="creche")
    posted(shi, "publish", page=nursery.replace("/all", "/web"), **{"f.inclusive.label": "网页上的"})
    assert "网页上的" in listed(kinds="nursery")
    assert "已撤回这里的设置" in posted(shi, "declared", page=nursery.replace("/all", "/web"))
    assert "普惠园" in listed(kinds="nursery")
    assert "已撤回这里的设置" in posted(shi, "declared", page=nursery)
    assert "网页普惠" in listed(kinds="nursery"), "and is as its group again"
    assert "托育机构单独设置" in text(shi.get(nursery)), "the versions of before are still told"


def test_a_kind_that_is_not_there_has_no_settings() -> None:
    shi = signed_in("shi")
    assert shi.get("/desk/finder/nursery/radio").status_code == 404
    assert shi.get("/desk/finder", {"kinds": "nothing"}).status_code == 200
