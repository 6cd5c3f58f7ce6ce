"""Requests and answers inside a sealed session: what travels, what is refused, and what may not come plainly."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from PIL import Image

from geo.errors import BadInput
from services.access.actions import create_api_key
from services.access.models import AuditEntry, User
from services.access.signin.models import DeviceCertificate
from services.access.transport.letters import Letter, read_letter
from services.access.transport.registry import sealed_paths, sealed_paths_of
from services.access.transport.spec import Matter, SealedPaths
from services.integrations.gateway.simulator import Mood, Simulator
from services.kernel.documents.models import Attachment
from services.kernel.forms.models import Submission
from services.kernel.workflow.models import Case, CaseEvent
from tests.services.access.certificates.handset import PASSWORD, SEALED, Handset
from tests.services.integrations.gateway.conftest import gateway
from tests.services.kernel.workflow.conftest import STREET, World, clock, code_of, world
from tests.services.modules.advisers.conftest import World as Advisers
from tests.web.test_cases import ANSWERS

__all__ = ["clock", "gateway", "world"]
FORM = "application/x-www-form-urlencoded"
Phones = Callable[[User], Handset]


@pytest.fixture
def phone_of(gateway: Simulator) -> Phones:
    def make(user: User, **more: Any) -> Handset:
        user.set_password(PASSWORD)
        user.save()
        phone = Handset(gateway, **more).enrol(user.username)
        assert phone.sign_in().json()["signed_in"]
        assert phone.open_session().status_code == 200
        return phone

    return make


def post(phone: Handset, target: str, **data: Any) -> tuple[int, dict[str, str], str]:
    status, headers, body = phone.ask("POST", target, urlencode(data, doseq=True).encode(), content_type=FORM)
    return status, headers, body.decode()


def page(phone: Handset, target: str) -> str:
    status, _, body = phone.ask("GET", target)
    assert status == 200, body[:300]
    return body.decode("utf-8-sig")


def writings(word: str) -> list[bytes]:
    """Return a word as it would stand in a body that somebody reads on the way."""
    plain = word.encode()
    return [plain, quote(word).encode(), json.dumps(word)[1:-1].encode(), plain.hex().encode(), word.encode("gb18030")]


def hand_in(phone: Handset) -> Case:
    """Apply by the form, as a page does."""
    _, headers, _ = post(phone, "/my/cases/new/service_point", region=code_of(STREET), key=str(uuid4()))
    at = headers["location"]
    row = Submission.objects.get(pk=at.rstrip("/").split("/")[-1])
    post(phone, at, **ANSWERS, seen=row.version, act="preview")
    row.refresh_from_db()
    assert post(phone, f"{at}/preview", seen=row.version)[0] == 302
    return Case.objects.latest("pk")


@pytest.mark.covers("PRE-SEC-02", via="services.access.transport.sessions:opened_message")
def test_filling_supervision_and_figures_travel_sealed_and_unchanged(
    world: World, gateway: Simulator, phone_of: Phones
) -> None:
    """Filling in, watching over and statistics on real pages: confidential, whole, by the gateway's own acts."""
    parent, clerk = phone_of(world.zhang), phone_of(world.wang)
    advisers = Advisers()
    site, analyst = advisers.site, phone_of(advisers.clerk)
    advisers.adviser("周明远")
    # 信息填报: an application is begun, filled in, handed in and read again
    case = hand_in(parent)
    assert "小南门服务点" in page(parent, f"/my/cases/{case.uid}")
    # 事中监督: the clerk finds it, decides, and reads the ledger
    assert "小南门服务点" in page(clerk, "/desk/cases")
    case.refresh_from_db()
    status, _, _ = post(
        clerk, f"/desk/cases/{case.uid}/decide", key=str(uuid4()), version=case.version, outcome="approve",
        opinion="现场看过，灶台合格",
    )  # fmt: skip
    assert status == 302
    assert "现场看过，灶台合格" in page(clerk, f"/desk/cases/{case.uid}")
    assert "小南门服务点" in page(clerk, "/desk/ledgers/cases")
    # 统计报表 and 专题分析: a report is taken, a topic is asked
    assert "小南门服务点" in page(clerk, "/desk/ledgers/cases/export?format=csv")
    assert site.name in page(analyst, "/desk/ledgers/adviser-topic?f.advisers.from=1")
    matters = {path: found.matter for path in (
        f"/my/cases/{case.uid}", f"/forms/fill/{case.uid}", f"/desk/cases/{case.uid}", "/desk/ledgers/cases",
        "/desk/ledgers/cases/export", "/desk/ledgers/adviser-topic",
    ) if (found := sealed_paths_of(path))}  # fmt: skip
    assert list(matters.values()) == [
        Matter.FILLING, Matter.FILLING, Matter.SUPERVISION, Matter.SUPERVISION, Matter.STATISTICS, Matter.STATISTICS,
    ]  # fmt: skip
    # Confidential: nothing of it stands in what went over the wire, either way
    wire = b"\n".join([body for each in (parent, clerk, analyst) for body in (*each.sent, *each.received)])
    words = (*(value for value in ANSWERS.values() if isinstance(value, str) and len(value) > 3), "灶台合格", site.name,
             case.number, str(case.uid), "/desk/cases", "adviser-topic", "<html", "opinion")  # fmt: skip
    assert [word for word in words for written in writings(word) if written in wire] == []
    # Every one of them was opened and sealed by the gateway
    asked = sum(len(each.sent) for each in (parent, clerk, analyst))
    assert (gateway.acts["open"], gateway.acts["seal"]) == (asked, asked)
    # Whole: what was altered on the way does nothing, and neither does what comes twice
    case.refresh_from_db()
    version, told = case.version, CaseEvent.objects.count()
    more = urlencode({"key": str(uuid4()), "version": version, "note": "改过的话", "text": "改过的话"}).encode()
    letter = Letter("POST", f"/desk/cases/{case.uid}/watch", {"content-type": FORM}, more)
    headers, sealed = clerk.seal(letter)
    for at in (0, len(sealed) // 2, len(sealed) - 1):
        altered = clerk.wire(headers, sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :])
        assert (altered.status_code, altered.json()["code"]) == (409, "sealed_tampered")
    assert CaseEvent.objects.count() == told
    # Plain, the same is refused to the device on each of the paths
    for each in matters:
        refused = clerk.client.get(each)
        assert (refused.status_code, refused["Content-Type"].split(";")[0]) == (403, "application/problem+json")
        assert refused.json()["code"] == "sealing_required"


def test_a_message_counts_once_and_its_answer_is_for_its_number(world: World, phone_of: Phones) -> None:
    phone = phone_of(world.zhang)
    headers, sealed = phone.seal(Letter("POST", "/my/cases/new/service_point", {"content-type": FORM}, urlencode(
        {"region": code_of(STREET), "key": str(uuid4())}).encode()))  # fmt: skip
    assert phone.wire(headers, sealed).status_code == 200
    count = Submission.objects.count()
    again = phone.wire(headers, sealed)
    assert (again.status_code, again.json()["code"]) == (409, "sealed_replayed")
    renumbered = phone.wire({**headers, "X-Secure-Sequence": "77"}, sealed)
    assert renumbered.json()["code"] == "sealed_tampered"
    assert Submission.objects.count() == count == 1


def test_a_gateway_that_takes_a_number_twice_does_not_make_us_do_so(
    world: World, gateway: Simulator, phone_of: Phones
) -> None:
    phone = phone_of(world.zhang)
    headers, sealed = phone.seal(Letter("GET", "/my/cases"))
    assert phone.wire(headers, sealed).status_code == 200
    for running in gateway.sessions.values():
        running.taken = {"up": set(), "down": set()}
    assert phone.wire(headers, sealed).json()["code"] == "sealed_replayed"


def test_a_session_is_of_one_account_and_ends_with_its_certificate(world: World, phone_of: Phones) -> None:
    phone, thief = phone_of(world.zhang), phone_of(world.wang)
    thief.container = phone.container  # the keys of a session do not help without its owner's cookie
    headers, sealed = thief.seal(Letter("GET", "/my/cases"))
    assert thief.wire(headers, sealed).json()["code"] == "sealed_session_unknown"
    nobody = Client().post("/api/v1/sealed", b"x" * 40, content_type=SEALED, headers=headers)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "sign_in_required")
    row = DeviceCertificate.objects.get(user=world.zhang)
    row.ended_at, row.ended_by = row.bound_at, "wang"
    row.save()
    headers, sealed = phone.seal(Letter("GET", "/my/cases"))
    assert phone.wire(headers, sealed).json()["code"] == "sealed_session_unknown"


def test_errors_travel_sealed_too_and_nothing_is_done_while_the_gateway_is_away(
    world: World, gateway: Simulator, phone_of: Phones
) -> None:
    phone = phone_of(world.zhang)
    status, _, body = phone.ask("GET", f"/desk/cases/{uuid4()}", accept="text/html")
    assert status in (403, 404)
    assert "圈图" in body.decode()
    status, headers, body = phone.ask("GET", "/api/v1/forms/none/none", accept="application/json")
    assert status == 404 or json.loads(body)["code"]
    assert headers["content-type"].startswith("application/")
    headers, sealed = phone.seal(Letter("POST", "/my/cases/new/service_point", {"content-type": FORM}, urlencode(
        {"region": code_of(STREET), "key": str(uuid4())}).encode()))  # fmt: skip
    gateway.mood = Mood.BROKEN
    refused = phone.wire(headers, sealed)
    assert refused.status_code == 503
    assert Submission.objects.count() == 0
    gateway.mood = Mood.WELL
    cache.delete_pattern("breaker:*") if hasattr(cache, "delete_pattern") else None
    assert phone.wire(headers, sealed).status_code == 200


def test_a_file_of_some_megabytes(world: World, phone_of: Phones, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT, settings.SCANNER = tmp_path / "media", ""
    advisers = Advisers()
    phone, place = phone_of(advisers.clerk), advisers.site
    picture = BytesIO()
    noise = Image.effect_noise((1_600, 1_600), 100).convert("RGB")
    noise.save(picture, "PNG")
    assert picture.tell() > 3_000_000
    boundary = "b0undary"
    parts = {"kind": "facilities", "owner_id": str(place.pk), "purpose": "photo"}
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in parts.items()
    )
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'.encode()
    body += picture.getvalue() + f"\r\n--{boundary}--\r\n".encode()
    status, headers, answer = phone.ask(
        "POST", "/desk/files/upload", body, content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert (status, headers["location"]) == (302, f"/desk/ledgers/facilities/{place.pk}"), answer[:500].decode()
    row = Attachment.objects.latest("uploaded_at")
    status, headers, content = phone.ask("GET", f"/files/{row.pk}/content?inline")
    assert status == 200
    with Image.open(BytesIO(content)) as again:
        assert again.size == (1_600, 1_600)
    too_much = phone.client.post("/api/v1/sealed", b"x" * 16_000_001, content_type=SEALED, headers=phone.seal(
        Letter("GET", "/my/cases"))[0])  # fmt: skip
    assert (too_much.status_code, too_much.json()["code"]) == (413, "sealed_too_large")


def test_forms_keep_their_own_protection_inside(world: World, phone_of: Phones) -> None:
    """A request that is sealed is no excuse for one that was forged."""
    phone = phone_of(world.zhang)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = phone.client.cookies
    phone.client = strict
    data = {"region": code_of(STREET), "key": str(uuid4())}
    assert post(phone, "/my/cases/new/service_point", **data)[0] == 403
    shown = page(phone, "/my/cases/new/service_point")
    token = shown.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert post(phone, "/my/cases/new/service_point", **data, csrfmiddlewaretoken=token)[0] == 302


def test_what_a_telephone_writes_into_a_letter_opens_nothing_else(world: World, phone_of: Phones) -> None:
    phone = phone_of(world.zhang)
    status, _, body = phone.ask(
        "GET", "/account", authorization="Bearer qt_x", cookie="sessionid=x", x_real_ip="9.9.9.9"
    )
    assert status == 200
    assert "zhang" in body.decode()  # the cookie outside decided
    status, _, _ = phone.ask("POST", "/api/v1/sealed", b"")
    assert status in (404, 405)  # a letter in a letter is opened by nobody


class TestChannels:
    def test_browsers_and_programs_go_on_as_before_until_the_house_says_otherwise(
        self, world: World, gateway: Simulator, settings: Any
    ) -> None:
        world.wang.set_password(PASSWORD)
        world.wang.save()
        desk = Client()
        desk.post("/sign-in", {"username": "wang", "password": PASSWORD})
        assert desk.get("/desk/cases").status_code == 200
        settings.SEALED_CHANNELS = ["container", "web"]
        as_page = desk.get("/desk/cases", headers={"Accept": "text/html"})
        assert as_page.status_code == 403
        assert "安全会话" in as_page.content.decode()
        assert AuditEntry.objects.filter(act="refused", detail__code="sealing_required", actor="wang").count() == 1
        assert desk.get("/desk").status_code == 200  # not declared
        _, token = create_api_key(user=world.wang, name="x")
        program = Client(headers={"Authorization": f"Bearer {token}"})
        assert program.get("/api/v1/forms/none").status_code == 404
        settings.SEALED_CHANNELS = ["program"]
        assert program.get("/api/v1/forms/none").json()["code"] == "sealing_required"
        wrong = Client(headers={"Authorization": "Bearer qt_nobody"})
        assert wrong.get("/api/v1/forms/none").json()["code"] == "api_key_invalid"

    def test_a_telephone_may_ask_plainly_for_what_is_free(self, world: World, phone_of: Phones) -> None:
        phone = phone_of(world.zhang)
        assert phone.client.get("/account").status_code == 200
        assert phone.client.get("/my/cases").status_code == 403
        assert "我的申请" in page(phone, "/my/cases")

    def test_without_a_gateway_nothing_is_asked_for(self, world: World) -> None:
        client = Client()
        client.force_login(world.wang, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get("/desk/cases").status_code == 200


class TestDeclarations:
    def test_each_is_found_and_its_roots_are_pages_of_ours(self) -> None:
        from web.urls import urlpatterns

        known = [str(each.pattern) for each in urlpatterns]
        for declared in sealed_paths():
            for root in declared.roots:
                pieces = root.strip("/").split("/")
                assert any(_leads(pieces, pattern.split("/")) for pattern in [*known, "api/v1/forms"]), root
        assert {each.matter for each in sealed_paths()} >= {Matter.FILLING, Matter.SUPERVISION, Matter.STATISTICS}

    @pytest.mark.parametrize(
        ("path", "key"),
        [
            ("/desk/ledgers", "ledgers"), ("/desk/ledgers/cases", "ledgers"), ("/desk/ledgers/cases/12", "ledgers"),
            ("/desk/ledgers/cases/export", "reports"), ("/desk/ledgers/adviser-topic/export", "reports"),
            ("/desk/ledgers/adviser-topic", "adviser_topic"), ("/formsx", ""), ("/", ""), ("/desk", ""),
            ("/forms/", "forms"),
        ],
    )  # fmt: skip
    def test_the_closest_decides(self, path: str, key: str) -> None:
        found = sealed_paths_of(path)
        assert (found.key if found else "") == key

    def test_a_root_is_a_path(self) -> None:
        for root in ("forms", "/forms/", "/a b", ""):
            with pytest.raises(ValueError, match="roots"):
                SealedPaths("x", "x", Matter.OTHER, (root,))


def _leads(root: list[str], pattern: list[str]) -> bool:
    return len(pattern) >= len(root) and all(
        one == other or one == "*" or "<" in other for one, other in zip(root, pattern, strict=False)
    )


@pytest.mark.parametrize(
    "plain",
    [
        b"", b"{}", b"[]", b"null", b'"x"', b'{"method": "GET"}', b'{"method": "TRACE", "target": "/"}',
        b'{"method": "GET", "target": "http://x/"}', b'{"method": "GET", "target": "//x/"}',
        b'{"method": "GET", "target": "/a b"}', b'{"method": "GET", "target": "/\\n"}', b'{"method": 1, "target": "/"}',
        b'{"method": "GET", "target": "/", "headers": {"accept": "a\\r\\nb"}}',
        b'{"method": "GET", "target": "/", "headers": {"accept": 1}}', b'{"method": "GET", "target": "/", "headers": 1}',
        b"[" * 20_000, b"\xff\xfe",
    ],
)  # fmt: skip
def test_letters_that_are_none(plain: bytes) -> None:
    with pytest.raises(BadInput):
        read_letter(plain)


def test_only_headers_that_count_are_read() -> None:
    letter = Letter("POST", "/x?y=1", {"Cookie": "a", "X-Forwarded-For": "b", "Accept": "c", "Host": "d"}, b"\n\nbody")
    found = read_letter(letter.written())
    assert (found.headers, found.body, found.target) == ({"accept": "c"}, b"\n\nbody", "/x?y=1")


def _fault(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


urlpatterns = [path("fault", _fault)]


@pytest.mark.django_db
def test_a_fault_of_ours_is_sealed_as_well(gateway: Simulator, phone_of: Phones, settings: Any) -> None:
    phone = phone_of(User.objects.create_user("u"))
    phone.client.raise_request_exception = False
    settings.ROOT_URLCONF = __name__
    status, _, _ = phone.ask("GET", "/fault")
    assert status == 500
