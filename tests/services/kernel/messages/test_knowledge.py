"""Knowledge: words are found against brute force, files are checked, regions and deleting are kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from geo.errors import BadInput, Conflict, Forbidden, NotFound, Unavailable
from services.access.models import User
from services.crypto.identifiers import new_id
from services.integrations.scanning.simulator import EICAR, Mood, Simulator
from services.kernel.messages.knowledge import files
from services.kernel.messages.knowledge.actions import Written, change_page, delete_page, make_page, restore_page
from services.kernel.messages.knowledge.models import KnowledgePage
from services.kernel.messages.knowledge.queries import knowledge_page, knowledge_pages
from services.kernel.messages.knowledge.words import as_query, excerpt, marked, terms_of
from services.kernel.messages.markup import as_html
from tests.services.kernel.messages.conftest import scope

CITY = scope("knowledge.view", "knowledge.edit")
DISTRICT = scope("knowledge.view", "knowledge.edit", path="310000.310101.", actor="qu")


def written(body: str = "正文", code: str = "310000", **changes: Any) -> Written:
    return Written(**{"title": "标题", "category": "manual", "body": body, "region": code, **changes})


def text_file(text: str, name: str = "说明.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def runs(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+|[^\W\da-z_]+", unicodedata.normalize("NFKC", text).lower())


def holds(text: str, typed: str) -> bool:
    """Say by brute force whether a text holds every typed word."""
    have = runs(text)
    return all(
        any(run.startswith(word) for run in have if run.isascii())
        if word.isascii()
        else any(word in run for run in have if not run.isascii())
        for word in runs(typed)
    )


@pytest.mark.usefixtures("city")
class TestSearch:
    @tuned(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        body=st.text(alphabet="养老服务补贴ab1 ，。", min_size=1, max_size=30),
        typed=st.text(alphabet="养老服务补贴ab1 ，", min_size=1, max_size=6),
    )
    def test_found_as_by_brute_force(self, body: str, typed: str) -> None:
        if not runs(body) or not runs(typed):
            return
        KnowledgePage.objects.all().delete()
        page = make_page(written=written(body, title="无"), scope=CITY)
        found = list(knowledge_pages(scope=CITY, q=typed))
        assert (found == [page]) == holds(f"{body}", typed), (body, typed, as_query(typed))

    def test_titles_before_texts(self) -> None:
        in_text = make_page(written=written("讲长护险", title="甲"), scope=CITY)
        in_title = make_page(written=written("别的", title="长护险"), scope=CITY)
        assert list(knowledge_pages(scope=CITY, q="长护险")) == [in_title, in_text]

    def test_a_file_is_found_by_its_name_and_its_text(self) -> None:
        page = make_page(written=written("", file=text_file("评估等级二级", "服务券办法.txt")), scope=CITY)
        for q in ("评估等级", "服务券", "评估 服务券", "TXT"):
            assert list(knowledge_pages(scope=CITY, q=q)) == [page], q

    @pytest.mark.parametrize(
        "typed", ["'", "a' | 'b", "!", "<->", ":*", "养老' & !'x", "\\", "()", "\x00", "%_", "   ？"]
    )
    def test_signs_of_the_query_language_are_only_signs(self, typed: str) -> None:
        page = make_page(written=written("养老"), scope=CITY)
        assert set(knowledge_pages(scope=CITY, q=typed)) <= {page}

    def test_a_text_of_any_length(self) -> None:
        page = make_page(written=written("养老服务补贴申请，" * 1500 + "结尾"), scope=CITY)
        assert list(knowledge_pages(scope=CITY, q="服务补贴")) == [page]

    def test_a_change_changes_what_is_found(self) -> None:
        page = make_page(written=written("旧词"), scope=CITY)
        change_page(page_id=page.pk, written=written("新词"), version=1, scope=CITY)
        assert [bool(knowledge_pages(scope=CITY, q=q)) for q in ("旧词", "新词")] == [False, True]


@given(st.text(max_size=60), st.text(max_size=10))
def test_marking_changes_no_sign(text: str, typed: str) -> None:
    assert "".join(piece for piece, _ in marked(text, terms_of(typed))) == text


def test_excerpts() -> None:
    assert excerpt("头" * 200 + "关键词" + "尾" * 200, ["关键词"], size=40).count("关键词") == 1
    assert excerpt("短文", ["无"]) == "短文"


@pytest.mark.usefixtures("city")
class TestWriting:
    def test_regions(self) -> None:
        city, theirs = make_page(written=written(), scope=CITY), make_page(written=written(code="310110"), scope=CITY)
        assert list(knowledge_pages(scope=DISTRICT)) == [city]  # the city's is for everyone, a neighbour's is not
        with pytest.raises(NotFound):
            knowledge_page(theirs.pk, scope=DISTRICT)
        for act in (
            lambda: delete_page(page_id=city.pk, scope=DISTRICT),
            lambda: make_page(written=written(), scope=DISTRICT),
        ):
            with pytest.raises(Forbidden):
                act()
        with pytest.raises(Forbidden):
            knowledge_pages(scope=scope())

    def test_deleted_and_brought_back(self) -> None:
        page = make_page(written=written(), scope=CITY)
        delete_page(page_id=page.pk, scope=CITY)
        delete_page(page_id=page.pk, scope=CITY)
        assert not knowledge_pages(scope=CITY).exists()
        with pytest.raises(NotFound):
            knowledge_page(page.pk, scope=scope("knowledge.view"))
        assert list(knowledge_pages(scope=CITY, deleted=True)) == [page]
        restore_page(page_id=page.pk, scope=CITY)
        assert list(knowledge_pages(scope=CITY)) == [page]

    def test_two_who_edit_one_page(self) -> None:
        page = make_page(written=written(), scope=CITY)
        change_page(page_id=page.pk, written=written("一"), version=1, scope=CITY)
        with pytest.raises(Conflict):
            change_page(page_id=page.pk, written=written("二"), version=1, scope=CITY)

    @pytest.mark.parametrize("changes", [{"title": ""}, {"category": "none"}, {"body": ""}, {"body": "字" * 20_001}])
    def test_what_is_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            make_page(written=written(**changes), scope=CITY)

    def test_a_file_is_only_for_those_who_may_read_the_page(self) -> None:
        from services.access.demo import make_demo_accounts

        make_demo_accounts()
        page = make_page(written=written(code="310110", file=text_file("机密", "内部.txt")), scope=CITY)
        path = f"/desk/knowledge/{page.pk}/file"
        seen = {}
        for name in ("", "qu", "jumin", "shi"):
            client = Client()
            if name:
                client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
            answer = client.get(path)
            seen[name] = answer.status_code
        assert seen == {"": 302, "qu": 404, "jumin": 403, "shi": 200}
        assert b"".join(answer.streaming_content) == "机密".encode()  # type: ignore[attr-defined]
        assert "attachment" in answer["Content-Disposition"]
        assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.django_db
class TestViruses:
    @pytest.fixture(autouse=True)
    def scanner(self, settings: Any, tmp_path: Any) -> Iterator[Simulator]:
        settings.MEDIA_ROOT = tmp_path / "media"
        cache.clear()
        with Simulator() as simulator:
            settings.SCANNER, settings.SCANNER_SECONDS = simulator.address, 5.0
            yield simulator

    def test_a_file_with_a_virus_is_not_kept(self, settings: Any) -> None:
        with pytest.raises(BadInput, match="病毒"):
            files.keep_file(SimpleUploadedFile("a.txt", EICAR), owner=new_id())
        assert list(settings.MEDIA_ROOT.rglob("*.txt")) == []
        assert files.text_in(files.keep_file(text_file("干净"), owner=new_id()).place) == "干净"

    def test_nothing_is_kept_while_the_scanner_is_away(self, scanner: Simulator, settings: Any) -> None:
        scanner.mood = Mood.SILENT
        settings.SCANNER_SECONDS = 0.2
        with pytest.raises(Unavailable, match="没有保存"):
            files.keep_file(text_file("干净"), owner=new_id())

    def test_what_came_before_the_scanner_is_scanned_when_it_is_opened(self, scanner: Simulator, settings: Any) -> None:
        settings.SCANNER, address = "", settings.SCANNER
        bad = files.keep_file(SimpleUploadedFile("a.txt", EICAR), owner=new_id()).place
        good = files.keep_file(text_file("干净"), owner=new_id()).place
        files.check_openable(bad)  # staff may open what nobody has scanned
        settings.OPEN_UNSCANNED = False
        with pytest.raises(Forbidden, match="还没有查毒"):
            files.check_openable(good)
        settings.SCANNER = address
        with pytest.raises(Forbidden, match="病毒"):
            files.check_openable(bad)
        files.check_openable(good)
        heard = len(scanner.received)
        files.check_openable(good)  # the verdict is remembered
        assert len(scanner.received) == heard == 2


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "data", "code"),
        [
            ("a.exe", b"MZ", "file_kind"),
            ("a.svg", b"<svg>", "file_kind"),
            ("a.html", b"<p>", "file_kind"),
            ("a", b"x", "file_kind"),
            ("a.pdf", b"<html>", "file_disguised"),
            ("a.docx", b"%PDF-", "file_disguised"),
            ("a.png", b"GIF89a", "file_disguised"),
            ("a.txt", b"\x00\x01", "file_disguised"),
            ("a.pdf", b"", "file_empty"),
        ],
    )
    def test_refused(self, name: str, data: bytes, code: str) -> None:
        with pytest.raises(BadInput) as refused:
            files.check_file(SimpleUploadedFile(name, data))
        assert refused.value.code == code

    @pytest.mark.parametrize("name", ["../../etc/passwd.txt", "C:\\a\\b.txt", "a/b.txt", "文件\r\n.txt"])
    def test_names_have_no_folders(self, name: str) -> None:
        shown = files.shown_name(name)
        assert not set(shown) & set("/\\\r\n")
        assert shown.endswith(".txt")

    def test_kept_under_a_name_of_our_own(self) -> None:
        from services.crypto.identifiers import new_id

        kept = files.keep_file(text_file("内容", "张三的材料.txt"), owner=new_id())
        assert "张三" not in kept.place
        assert (kept.name, kept.size) == ("张三的材料.txt", len("内容".encode()))
        assert files.text_in(kept.place) == "内容"
        assert "内容".encode() not in files.path_of(kept.place).read_bytes()
        files.path_of(kept.place).unlink()

    def test_old_encodings_are_read(self) -> None:
        from services.crypto.identifiers import new_id

        kept = files.keep_file(SimpleUploadedFile("旧.txt", "养老".encode("gb18030")), owner=new_id())
        assert files.text_in(kept.place) == "养老"
        files.path_of(kept.place).unlink()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# 题", "<h2>题</h2>"),
        ("一\n\n二", "<p>一</p><p>二</p>"),
        ("- 甲\n- 乙\n1. 丙", "<ul><li>甲</li><li>乙</li></ul><ol><li>丙</li></ol>"),
        ("**粗** & <b>", "<p><strong>粗</strong> &amp; &lt;b&gt;</p>"),
        (
            "[站](https://a.example/x?y=1&z=2)",
            '<p><a href="https://a.example/x?y=1&amp;z=2" rel="noreferrer">站</a></p>',
        ),
        ("[内](/places/1)", '<p><a href="/places/1" rel="noreferrer">内</a></p>'),
        ("[坏](javascript:alert(1))", "<p>[坏](javascript:alert(1))</p>"),
        ("[坏](//evil.example)", "<p>[坏](//evil.example)</p>"),
    ],
)
def test_markup(text: str, html: str) -> None:
    assert as_html(text) == html


@given(st.text(alphabet="a<>\"'&*#-[]()/:h1. \n", max_size=80))
def test_no_markup_but_ours(text: str) -> None:
    html = as_html(text)
    left = re.sub(
        r'</?(?:p|h[234]|ul|ol|li|strong)>|<a href="(?:https?://|/(?!/))[^"<>]*" rel="noreferrer">|</a>', "", html
    )
    assert "<" not in left
    assert ">" not in left
