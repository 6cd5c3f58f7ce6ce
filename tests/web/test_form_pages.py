"""Pages of forms: the library, composing, filling in, what was handed in; as the demo accounts meet them."""

from __future__ import annotations

import datetime as dt
import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from services.access.demo import make_demo_accounts
from services.access.models import AuditEntry, User
from services.crypto.keystore import make_keystore
from services.facilities.models import Facility
from services.kernel.documents.actions import attach_file
from services.kernel.forms.answering.identity import check_sign
from services.kernel.forms.models import Certificate, FormVersion, LibraryField, Submission

pytestmark = pytest.mark.usefixtures("city")
IDENTITY = "31010120220915001" + check_sign("31010120220915001")
PHONE = "13812345678"


@pytest.fixture(autouse=True)
def stores(tmp_path: Path, settings: Any, city: None) -> None:
    settings.KEYSTORE = tmp_path / "keystore"
    make_keystore(settings.KEYSTORE)
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SCANNER = ""
    make_demo_accounts()


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.content[:300]
    return html.unescape(re.sub(r"\s+", " ", response.content.decode()))


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found
    return found[1]


def pdf_text(content: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    return "".join(page.get_textpage().get_text_range() for page in document)


class Draft:
    """A draft of a district as its administrator meets it in pages."""

    def __init__(self, client: Client, entry: str = "transfer", region: str = "310101") -> None:
        self.client = client
        answer = client.post(f"/desk/forms/of/enrolment/{entry}", {"region": region})
        self.url = answer["Location"]

    @property
    def row(self) -> FormVersion:
        return FormVersion.objects.get(pk=int(self.url.rsplit("/", 1)[1]))

    def act(self, act: str, **data: Any) -> Any:
        return self.client.post(self.url, {"seen": self.row.version, "act": act, **data})

    def item(self, key: str, **data: Any) -> Any:
        return self.client.post(f"{self.url}/items/{key}", {"seen": self.row.version, **data})


def whole_form() -> dict[str, Any]:
    garden = Facility.objects.filter(kind="kindergarten", region__versions__path__startswith="310000.310101.").first()
    assert garden
    return {
        "child_name": "王小明", "document_type": "id", "child_identity": IDENTITY, "child_sex": "male", "birthday": "2022-09-15",
        "nationality": "156", "birth_province": "310000", "nation": "01", "transfer_reason": "moved", "guardian_name": "王建国",
        "guardian_relation": "parent", "guardian_phone": PHONE, "kindergarten": str(garden.pk), "allergy": "花生过敏",
    }  # fmt: skip


def begun(client: Client, entry: str = "transfer") -> str:
    page = text_of(client.get("/forms/enrolment"))
    mark = re.search(r'name="mark" value="([^"]+)"', page)
    assert mark
    answer = client.post("/forms/enrolment", {"entry": entry, "region": "310101", "mark": mark[1]})
    again = client.post("/forms/enrolment", {"entry": entry, "region": "310101", "mark": mark[1]})
    assert answer["Location"] == again["Location"]
    return str(answer["Location"])


def upload(client: Client, url: str, folder: Path) -> None:
    for number, code in enumerate(("XQ-SF-001", "XQ-QT-001")):
        path = folder / f"{code}.png"
        Image.new("RGB", (40, 40), (number * 90, 10, 10)).save(path)
        with path.open("rb") as file:
            data = {"kind": "submission", "owner_id": url.rsplit("/", 1)[1], "purpose": code, "file": file}
            assert client.post("/desk/files/upload", data).status_code in (200, 302)


@pytest.mark.covers("PRE-ENR-01a", via="services.kernel.forms.versions.actions:save_draft")
def test_the_city_keeps_a_library_and_each_entry_of_a_district_chooses_fields_checks_and_linkage_of_it() -> None:
    city, district = signed_in("shi"), signed_in("qu")
    field = {
        "key": "blood",
        "label": "血型",
        "kind": "text",
        "seen": "0",
        "active": "1",
        "group": "幼儿",
        "changes": ["label", "required", "checks"],
    }
    assert city.post("/desk/forms/library/fields/new", field).status_code == 302
    assert "血型" in text_of(city.get("/desk/forms/library"))
    entries = text_of(district.get("/desk/forms"))
    assert all(name in entries for name in ("本市户籍", "持居住证", "托班升小班", "转园"))
    draft = Draft(district)
    draft.act("add", section="0", key=["blood"])
    draft.item("blood", label="血型（ABO）", always="yes", **{"check-longest": "3", "check-pattern": "A|B|AB|O", "check-pattern_says": "请填 A、B、AB 或 O。",
               "shown-0-field": "child_sex", "shown-0-operator": "is", "shown-0-value": "男"})  # fmt: skip
    page = text_of(district.get(draft.url))
    assert "当 幼儿性别 为" in page
    assert draft.act("publish").status_code == 302
    parent = signed_in("jumin")
    url = begun(parent)
    assert "血型" not in text_of(parent.get(url))
    parent.post(url, {**whole_form(), "seen": seen(text_of(parent.get(url))), "act": "save"})
    assert "血型（ABO）" in text_of(parent.get(url))
    parent.post(url, {**whole_form(), "blood": "X", "seen": seen(text_of(parent.get(url))), "act": "save"})
    assert "请填 A、B、AB 或 O。" in text_of(parent.get(f"{url}/preview"))
    other = begun(parent, "local")  # another way in has its own form
    parent.post(other, {"child_sex": "male", "seen": seen(text_of(parent.get(other))), "act": "save"})
    assert "血型" not in text_of(parent.get(other))


ROW_01B = (
    "出生地省份",
    "国籍/地区",
    "民族",
    "籍贯",
    "户口性质",
    "户主与幼儿关系",
    "户籍类别",
    "是否人户一致",
    "住房性质",
    "产权人或承租人与幼儿关系",
)


@pytest.mark.covers("PRE-ENR-01b", via="services.kernel.forms.library.actions:save_field")
def test_the_city_manages_each_of_the_named_fields_and_nobody_else_does() -> None:
    city, district = signed_in("shi"), signed_in("qu")
    listed = text_of(city.get("/desk/forms/library"))
    for label in ROW_01B:
        assert f">{label}<" in listed
        row = LibraryField.objects.get(label=label)
        url = f"/desk/forms/library/fields/{row.key}"
        page = text_of(city.get(url))
        data = {
            "seen": seen(page),
            "label": f"{label}！",
            "dictionary": row.dictionary.key if row.dictionary else "",
            "help": "新说明",
            "active": "1",
        }
        assert district.post(url, data).status_code == 403
        assert city.post(url, data).status_code == 302
        changed = text_of(city.get(url))
        assert f"{label}！" in changed
        assert "以前的样子" in changed
        assert f">{label}<" in changed  # what it was called before
        stale = city.post(url, data)
        assert stale.status_code == 409
        assert "有人改过" in stale.content.decode()
    terms = text_of(city.get("/desk/forms/library/dictionaries/housing"))
    data = {
        "seen": seen(terms),
        "place": ["1", "2"],
        "code": ["owned", "dorm"],
        "label": ["自有产权房", "单位宿舍"],
        "on": ["0", "1"],
    }
    assert city.post("/desk/forms/library/dictionaries/housing", data).status_code == 302
    parent = signed_in("jumin")
    url = begun(parent, "local")
    page = text_of(parent.get(url))
    assert "单位宿舍" in page
    assert "租赁住房" not in page


@pytest.mark.covers("PRE-ENR-01c", via="services.kernel.forms.versions.actions:publish_version")
def test_a_district_adjusts_the_citys_fields_for_itself_only() -> None:
    district = signed_in("qu")
    draft = Draft(district)
    draft.item("note", label="给园长的话", own_help="1", help="五百字以内", always="yes", **{"check-longest": "50"})
    draft.item("transfer_reason", codes=["moved", "work"])
    looser = draft.item("note", **{"check-longest": "900"})
    assert looser.status_code == 302  # a draft may be wrong
    refused = draft.act("publish")
    assert refused.status_code == 400
    assert "只能比全市更严" in refused.content.decode()
    draft.item("note", label="给园长的话", own_help="1", help="五百字以内", always="yes", **{"check-longest": "50"})
    assert draft.act("publish", note="第一版").status_code == 302
    parent = signed_in("jumin")
    page = text_of(parent.get(begun(parent)))
    assert "给园长的话" in page
    assert "五百字以内" in page
    assert "身体原因" not in page
    data = {"entry": "transfer", "region": "310110"}
    neighbour = text_of(parent.get(parent.post("/forms/enrolment", data)["Location"]))
    assert "给园长的话" not in neighbour
    assert "身体原因" in neighbour
    assert district.get("/desk/forms?region=310110").status_code == 403


@pytest.mark.covers("PRE-ENR-02", via="services.kernel.forms.composing.changing:change_certificate")
def test_certificates_come_from_the_citys_library_and_districts_set_which_how_many_and_their_words(
    tmp_path: Path,
) -> None:
    city, district, parent = signed_in("shi"), signed_in("qu"), signed_in("jumin")
    new = {"domain": "XQ", "name": "疫苗接种证明", "category": "JK", "medium": "copy", "least": "0", "most": "4", "megabytes": "10", "types": ["jpeg", "png"],
           "matters": ["transfer"], "changes": ["label", "help", "required", "checks"], "active": "1", "seen": "0"}  # fmt: skip
    made = city.post("/desk/forms/certificates/new", new)
    code = made["Location"].rsplit("/", 1)[1]
    assert code == "XQ-JK-002"
    assert district.post("/desk/forms/certificates/new", new).status_code == 403
    draft = Draft(district)
    draft.act("add", section="0", key=[code])
    beyond = draft.item(code, paper="1", most="5")
    assert beyond.status_code == 302
    assert "1 到 4" in text_of(district.get(draft.url))
    draft.item(
        code,
        paper="1",
        label="接种证明",
        own_help="1",
        help="拍第二页",
        least="1",
        most="1",
        types=["png"],
        always="yes",
    )
    assert draft.act("publish").status_code == 302
    url = begun(parent)
    page = text_of(parent.get(url))
    assert "接种证明" in page
    assert "拍第二页" in page
    paper = page[page.index(f'id="paper-{code}"') :]
    assert "最多 1 个" in paper[:400]
    assert "接种证明" not in text_of(parent.get(begun(parent, "permit")))
    owner = url.rsplit("/", 1)[1]
    for name, colour, taken in (("a.png", 1, True), ("b.png", 2, False), ("c.jpg", 3, False)):
        Image.new("RGB", (40, 40), (colour * 50, 0, 0)).save(tmp_path / name)
        with (tmp_path / name).open("rb") as file:
            parent.post("/desk/files/upload", {"kind": "submission", "owner_id": owner, "purpose": code, "file": file})
        assert (name in text_of(parent.get(url))) == taken
    assert "接种证明" not in re.findall(r"请上传“([^”]+)”", text_of(parent.get(f"{url}/preview")))


@pytest.mark.covers("PRE-ENR-03a", via="services.kernel.forms.composing.compose:compose")
def test_a_district_lays_out_its_form_and_gets_pages_for_both_sizes_previews_and_pdf_for_each_entry() -> None:
    district = signed_in("qu")
    for entry, name in (("transfer", "转园"), ("upgrade", "托班升小班")):
        draft = Draft(district, entry)
        before = [item["key"] for item in draft.row.composition["sections"][0]["items"]]
        draft.act("down", key=before[0])
        draft.act("add-section", title="其他情况")
        last = len(draft.row.composition["sections"]) - 1
        draft.act("add", section=str(last), key=["residents"])
        draft.act("section-up", section=str(last))
        draft.act("remove", key="native_place")
        draft.item("residents", **{"shown-0-field": "nationality", "shown-0-operator": "is", "shown-0-value": "中国", "shown-1-field": "child_sex",
                   "shown-1-operator": "filled", "shown-joint": "all"})  # fmt: skip
        sections = draft.row.composition["sections"]
        assert [item["key"] for item in sections[0]["items"]][:2] == before[1::-1]
        assert sections[-2]["title"] == "其他情况"
        phone, pc = (text_of(district.get(f"{draft.url}/preview?view={view}")) for view in ("phone", "pc"))
        assert "as-phone" in phone
        assert "as-phone" not in pc
        for page in (phone, pc):
            assert name in page
            assert "幼儿姓名" in page
            assert "籍贯" not in page
            assert 'name="residents"' not in page
        tried = text_of(
            district.post(f"{draft.url}/preview", {"nationality": "156", "child_sex": "male", "child_name": "1"})
        )
        assert 'name="residents"' in tried
        assert "姓名请照证件填写" in tried
        pdf = district.get(f"{draft.url}/pdf")
        assert pdf["Content-Type"] == "application/pdf"
        words = pdf_text(pdf.content)
        assert name in words
        assert "其他情况" in words
        assert "同住人数" in words
        assert draft.act("publish", from_day=str(timezone.localdate() + dt.timedelta(days=3))).status_code == 302
    assert Submission.objects.count() == 0


def test_versions_stand_side_by_side_and_are_taken_back() -> None:
    district = signed_in("qu")
    first = Draft(district)
    first.item("note", label="一")
    first.act("publish")
    second = Draft(district)
    second.act("remove", key="allergy")
    second.item("note", label="二")
    second.act("publish")
    page = text_of(district.get(f"{second.url}/compare/{first.row.pk}"))
    assert "名称：一 → 二" in page
    assert "去掉" in page
    assert second.act("withdraw").status_code == 302
    assert "现在用：黄浦区 第 1 版" in text_of(district.get("/desk/forms/of/enrolment/transfer?region=310101"))
    assert second.act("again").status_code == 302
    page = text_of(district.get("/desk/forms/of/enrolment/transfer?region=310101"))
    assert "继续编辑草稿" in page


def test_a_parent_fills_hands_in_once_and_staff_see_it_in_part(tmp_path: Path) -> None:
    User.objects.filter(username="jumin").update(display_name="王建国")
    parent, district, street = signed_in("jumin"), signed_in("qu"), signed_in("jiezhen")
    url = begun(parent)
    page = text_of(parent.get(url))
    assert "来自您的账号" in page  # prefilled, and said where from
    answer = parent.post(url, {**whole_form(), "child_name": "王1", "seen": seen(page), "act": "preview"})
    preview = text_of(parent.get(answer["Location"]))
    assert "有 3 处要改" in preview
    assert f'href="{url}?check=1#f-child_name"' in preview
    parent.post(url, {**whole_form(), "seen": seen(text_of(parent.get(url))), "act": "save"})
    upload(parent, url, tmp_path)
    preview = text_of(parent.get(f"{url}/preview"))
    assert "要改" not in preview
    assert PHONE in preview
    data = {"seen": seen(preview)}
    assert parent.post(f"{url}/preview", data).status_code == 302
    assert parent.post(f"{url}/preview", data).status_code == 302
    row = Submission.objects.get()
    receipt = text_of(parent.get(url))
    assert row.number
    assert row.number in receipt
    words = pdf_text(parent.get(f"{url}/pdf").content)
    assert row.number in words
    assert "王小明" in words
    assert PHONE in words
    for client in (district,):
        listed = text_of(client.get("/desk/forms/submissions"))
        assert row.number in listed
        one = text_of(client.get(f"/desk/forms/submissions/{row.pk}"))
        assert "138****5678" in one
        assert PHONE not in one
        assert IDENTITY not in one
        assert PHONE not in pdf_text(client.get(f"{url}/pdf").content)
    shown = text_of(district.post(f"/desk/forms/submissions/{row.pk}", {"key": "guardian_phone"}))
    assert PHONE in shown
    assert AuditEntry.objects.filter(act="answer_revealed", actor="qu").count() == 1
    assert (
        street.get(f"/desk/forms/submissions/{row.pk}").status_code == 404
    )  # a form of the district is not the street's
    assert signed_in("guihua").get(f"/desk/forms/submissions/{row.pk}").status_code == 403
    assert Client().get(url).status_code == 302
    assert signed_in("jigou").get(url).status_code == 404
    back = district.post(f"/desk/forms/submissions/{row.pk}", {"item": ["guardian_phone"], "why": "号码打不通"})
    assert back.status_code == 302
    page = text_of(parent.get(url))
    assert "号码打不通" in page


def test_what_is_typed_stays_text_everywhere_and_stale_pages_are_told(tmp_path: Path) -> None:
    parent, district = signed_in("jumin"), signed_in("qu")
    wild = '<script>alert("x")</script>'
    draft = Draft(district)
    draft.item("note", label=wild[:60], own_help="1", help=wild)
    draft.act("change-section", section="0", title=wild[:40])
    draft.act("publish")
    url = begun(parent)
    page = parent.get(url).content.decode()
    assert wild not in page
    assert html.escape(wild) in page
    version = seen(page)
    assert parent.post(url, {"note": wild, "seen": version, "act": "save"}).status_code == 302
    stale = parent.post(url, {"note": "另一台设备写的", "seen": version, "act": "save"})
    assert stale.status_code == 409
    assert "另一台设备写的" in stale.content.decode()
    by_script = parent.post(url, {"note": "x", "seen": version}, headers={"X-Fragment": "form"})
    assert by_script.status_code == 409
    kept = parent.post(url, {"note": "=1+1", "seen": seen(text_of(parent.get(url)))}, headers={"X-Fragment": "form"})
    assert kept["X-Form-Version"] == str(Submission.objects.get().version)
    assert wild not in parent.get(f"{url}/preview").content.decode()
    export = signed_in("shi").get("/desk/forms/library?q=" + wild).content.decode()
    assert wild not in export


@pytest.mark.covers("ELD-GOV-20", "ELD-GOV-22", via="services.kernel.forms.library.actions:save_certificate")
def test_certificates_are_catalogued_by_matter_and_category_under_coded_numbers_and_keep_all_versions() -> None:
    city = signed_in("shi")
    for key, lines in (
        ("matter", [("allowance", "养老服务补贴"), ("assessment", "老年照护统一需求评估")]),
        ("certificate_category", [("SR", "收入类")]),
    ):
        url = f"/desk/forms/library/dictionaries/{key}"
        page = text_of(city.get(url))
        codes, labels = (
            re.findall(r'name="code" value="([^"]*)"', page),
            re.findall(r'name="label" value="([^"]*)"', page),
        )
        codes, labels = codes + [code for code, _ in lines], labels + [label for _, label in lines]
        data = {
            "seen": seen(page),
            "place": [str(n) for n in range(len(codes))],
            "code": codes,
            "label": labels,
            "on": [str(n) for n in range(len(codes))],
        }
        assert city.post(url, data).status_code == 302
    base = {
        "domain": "YL",
        "medium": "original",
        "least": "1",
        "most": "2",
        "megabytes": "5",
        "types": ["pdf"],
        "active": "1",
        "seen": "0",
    }
    codes = []
    for name, category, matters, months in (
        ("身份证", "SF", ["allowance", "assessment"], ""),
        ("收入证明", "SR", ["allowance"], "6"),
        ("低保证明", "SR", ["allowance"], "12"),
    ):
        data = {
            **base,
            "name": name,
            "category": category,
            "matters": matters,
            "valid_months": months,
            "description": f"{name}的要求",
            "issuer": "民政部门",
        }
        codes.append(city.post("/desk/forms/certificates/new", data)["Location"].rsplit("/", 1)[1])
    assert codes == ["YL-SF-001", "YL-SR-001", "YL-SR-002"]
    assert (
        city.post("/desk/forms/certificates/new", {**base, "domain": "1", "name": "x", "category": "SR"}).status_code
        == 400
    )
    page = text_of(city.get("/desk/forms/certificates?matter=allowance"))
    page = page[page.index("养老服务补贴 <span") :]
    order = [
        page.index(word)
        for word in (
            "养老服务补贴 <span",
            ">身份类<",
            "YL-SF-001",
            ">收入类<",
            "YL-SR-001",
            "6 个月",
            "YL-SR-002",
            "12 个月",
        )
    ]
    assert order == sorted(order)
    assert "收入证明的要求" in page
    url = "/desk/forms/certificates/YL-SR-001"
    for months, note in (("3", "沪民规〔2026〕1号"), ("12", "沪民规〔2026〕9号")):
        data = {**base, "name": "收入证明", "category": "SR", "matters": ["allowance"], "valid_months": months, "description": "收入证明的要求", "issuer": "民政部门",
                "seen": seen(text_of(city.get(url))), "note": note}  # fmt: skip
        assert city.post(url, data).status_code == 302
    page = text_of(city.get(url))
    page = page[page.index("版本演变") :]
    order = [page.index(words) for words in ("第 3 版", "有效月数：3 → 12", "第 2 版", "有效月数：6 → 3", "第 1 版")]
    assert order == sorted(order), page
    assert "沪民规〔2026〕1号" in page
    row = Certificate.objects.get(code="YL-SR-001")
    assert [each.content["valid_months"] for each in row.versions.order_by("number")] == [6, 3, 12]


@pytest.mark.covers("ELD-GOV-21", via="services.kernel.forms.library.queries:certificates_found")
def test_clerks_look_certificates_up() -> None:
    clerk = signed_in("jiezhen")
    assert "材料目录" in text_of(clerk.get("/desk/forms/certificates"))
    found = text_of(clerk.get("/desk/forms/certificates?q=户口"))
    assert "XQ-HJ-001" in found
    assert "XQ-FC-001" not in found
    assert "首页、户主页、幼儿页各一张" in text_of(clerk.get("/desk/forms/certificates/XQ-HJ-001"))
    assert "没有找到材料" in text_of(clerk.get("/desk/forms/certificates?q=无此材料"))
    narrowed = text_of(clerk.get("/desk/forms/certificates?category=JZ&matter=enrolment"))
    assert "XQ-JZ-001" in narrowed
    assert "XQ-SF-001" not in narrowed
    assert clerk.post("/desk/forms/certificates/XQ-HJ-001", {"seen": "1", "name": "x"}).status_code == 403
    assert signed_in("jumin").get("/desk/forms/certificates").status_code == 403


@pytest.mark.covers("ELD-GOV-23", via="services.kernel.documents.actions:attach_file")
def test_sample_forms_and_annexes_of_a_certificate_are_kept_replaced_and_taken_off(tmp_path: Path) -> None:
    city, clerk = signed_in("shi"), signed_in("jiezhen")
    url = "/desk/forms/certificates/XQ-QT-001"
    for purpose, name in (("sample", "样表.png"), ("annex", "政策.png"), ("blank", "空表.png")):
        Image.new("RGB", (30, 30), (len(name) * 9, len(purpose) * 20, 5)).save(tmp_path / name)
        with (tmp_path / name).open("rb") as file:
            data = {"kind": "certificate", "owner_id": "XQ-QT-001", "purpose": purpose, "file": file}
            assert city.post("/desk/files/upload", data).status_code in (200, 302)
        with (tmp_path / name).open("rb") as file:
            clerk.post(
                "/desk/files/upload",
                {"kind": "certificate", "owner_id": "XQ-QT-001", "purpose": "picture", "file": file},
            )
    page = text_of(clerk.get(url))
    assert all(name in page for name in ("样表.png", "政策.png", "空表.png", "填写样表", "空白表样", "附件"))
    from services.kernel.documents.models import Attachment

    assert not Attachment.objects.filter(owner_kind="certificate", purpose="picture").exists()  # clerks look only
    row = Attachment.objects.get(owner_id="XQ-QT-001", purpose="sample")
    opened = clerk.get(f"/files/{row.pk}/content")
    assert opened.status_code == 200
    assert b"".join(opened.streaming_content)[:4] == b"\x89PNG"
    Image.new("RGB", (31, 31), (200, 0, 0)).save(tmp_path / "新样表.png")
    with (tmp_path / "新样表.png").open("rb") as file:
        assert city.post(f"/desk/files/{row.pk}/replace", {"file": file}).status_code == 302
    newest = Attachment.objects.get(owner_id="XQ-QT-001", purpose="sample", current=True)
    assert (newest.version, newest.replaces_id) == (2, row.pk)
    city.post(f"/desk/files/{newest.pk}/remove")
    assert "已移除 1 个" in text_of(city.get(url))


def test_attaching_from_code_keeps_to_the_scope(tmp_path: Path) -> None:
    from geo.errors import NotFound
    from geo.scope import Scope

    parent = signed_in("jumin")
    url = begun(parent)
    Image.new("RGB", (30, 30)).save(tmp_path / "a.png")
    stranger = Scope(duties=frozenset({"self.view"}), actor="jigou")
    with pytest.raises(NotFound):
        attach_file(
            kind="submission",
            owner_id=url.rsplit("/", 1)[1],
            purpose="XQ-QT-001",
            source=tmp_path / "a.png",
            name="a.png",
            scope=stranger,
        )


def test_programs_ask_what_a_form_asks_and_try_answers_without_keeping_them() -> None:
    client = Client()
    asked = client.get("/api/v1/forms/enrolment/transfer?region=310101").json()
    assert asked["answers"]["properties"]["child_sex"]["enum"] == ["male", "female"]
    assert {
        "code": "XQ-QT-001",
        "name": "转园证明",
        "least": 1,
        "most": 2,
        "types": ["jpeg", "png", "webp", "pdf"],
    } in asked["certificates"]
    tried = "/api/v1/forms/enrolment/transfer/validate?region=310101"
    good = client.post(
        tried, {"answers": whole_form() | {"transfer_reason": ["moved"]}}, content_type="application/json"
    ).json()
    assert (good["good"], good["faults"]) == (True, [])
    bad = client.post(tried, {"answers": {"child_name": "1", "nowhere": 1}}, content_type="application/json").json()
    assert {"child_name", "nowhere", "birthday"} <= {fault["field"] for fault in bad["faults"]}
    assert client.get("/api/v1/forms/nowhere/x?region=310101").status_code == 404
    assert Submission.objects.count() == 0
