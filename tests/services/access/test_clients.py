"""Platforms of districts: registered at the desk, let in only where everything fits, each call and refusal written down."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
import time_machine
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import RedisError

from geo.errors import Conflict, Forbidden
from geo.regions.queries import region_by_code
from geo.scope import Scope
from services.access.clients import calling
from services.access.clients.actions import (
    Wanted,
    change_client,
    make_client_key,
    register_client,
    stop_client_key,
    turn_client,
)
from services.access.clients.models import ApiClient, ClientCall, ClientKey
from services.access.demo import make_demo_accounts
from services.access.models import AuditEntry, Organisation, User
from services.facilities.models import CapacityReport, Facility
from services.integrations.signing import signed_headers, target

BASE = "/api/v1/platform/institutions"
HOME = "203.0.113.7"
CODE = "52310101MJ4910001A"
WANTED = Wanted(
    name="黄浦区养老服务平台",
    keeper="黄浦区民政局 张老师",
    region="310101",
    networks=["203.0.113.0/28", "2001:db8:7::/48"],
    operations=["institutions.read", "vacancies.report"],
    regions=["310101"],
    organisations=[CODE],
)


class Platform:
    """A district's platform: it signs as the developer page says, from an address of its own."""

    def __init__(self, app: str, secret: str, address: str = HOME) -> None:
        self.app, self.secret, self.address = app, secret, address
        self.client = Client(raise_request_exception=False)

    def signed(self, method: str, path: str, query: str = "", body: bytes = b"", **more: Any) -> dict[str, str]:
        return signed_headers(
            app=self.app, secret=self.secret, method=method, path=path, query=query, body=body, **more
        )  # fmt: skip

    def get(self, query: str, headers: dict[str, str] | None = None, address: str = "") -> Any:
        headers = self.signed("GET", BASE, query) if headers is None else headers
        return self.client.get(f"{BASE}?{query}", headers={**headers, "X-Real-IP": address or self.address})

    def post(self, path: str, query: str, said: Any) -> Any:
        body = json.dumps(said).encode()
        headers = {**self.signed("POST", path, query, body), "X-Real-IP": self.address}
        return self.client.post(f"{path}?{query}", body, content_type="application/json", headers=headers)


@pytest.fixture
def manager() -> Scope:
    return Scope(paths=("310000.",), duties=frozenset({"clients.edit"}), actor="shi")


@pytest.fixture
def house(city: None) -> Facility:
    owner = Organisation.objects.create(name="豫园敬老院", credit_code=CODE)
    district = region_by_code("310101", scope=Scope.public()).region_id
    home = Facility.objects.filter(kind__group="eldercare").exclude(status="closed").order_by("pk").first()
    assert home is not None
    home.region_id, home.organisation, home.places = district, owner, 120
    home.save()
    return home


@pytest.fixture
def platform(house: Facility, manager: Scope) -> Iterator[Platform]:
    cache.clear()
    client = register_client(wanted=WANTED, scope=manager)
    _, secret = make_client_key(app=client.app, scope=manager)
    yield Platform(client.app, secret)
    cache.clear()


def last() -> ClientCall:
    return ClientCall.objects.order_by("-id")[0]


@pytest.mark.covers("CIV-ELD-35", via="services.access.clients.calling:admit")
def test_a_district_platform_is_registered_and_answered_only_where_address_and_parameters_fit(house: Facility) -> None:
    make_demo_accounts()
    desk = Client()
    desk.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    form = {
        "name": "黄浦区养老服务平台", "keeper": "黄浦区民政局", "region": "310101", "networks": "203.0.113.0/28\n2001:db8:7::/48",
        "operations": ["institutions.read"], "regions": "310101", "organisations": CODE, "per_minute": "60", "per_day": "1000",
    }  # fmt: skip
    made = desk.post("/desk/clients/new", form)
    app = made["Location"].rpartition("/")[2]
    shown = desk.post(f"/desk/clients/{app}/key").content.decode()
    secret = re.findall(r'class="token">([^<]+)<', shown)[0]
    assert secret not in desk.get(f"/desk/clients/{app}").content.decode()
    assert secret not in ClientKey.objects.get().secret
    platform = Platform(app, secret)

    # everything fits: IPv4, IPv6, and IPv4 written inside IPv6
    for address in (HOME, "2001:db8:7::99", f"::ffff:{HOME}"):
        answer = platform.get("region=310101", address=address)
        assert answer.status_code == 200
        assert house.pk in [one["id"] for one in answer.json()["institutions"]]
    exact = platform.get(f"organisation={CODE}&region=310101")
    assert [one["organisation"] for one in exact.json()["institutions"]] == [CODE]

    # one thing that does not fit is enough
    refused = {
        platform.get("region=310101", address="203.0.113.16").json()["code"],
        platform.get("region=310104").json()["code"],
        platform.get("region=310101&organisation=91310000MA1K00000X").json()["code"],
        platform.get("region=310101&keyword=x").json()["code"],
    }
    assert refused == {"address_not_listed", "region_not_listed", "organisation_not_listed", "parameter_unknown"}
    assert platform.get("region=310101", headers={}).json()["code"] == "signature_invalid"

    # the white list is managed: taken off it, the same call is refused from the next moment on
    desk.post(f"/desk/clients/{app}/change", {**form, "networks": "198.51.100.0/24"})
    assert platform.get("region=310101").status_code == 403

    # every call and refusal is in the log, searched and exported by those who may
    log = desk.get("/desk/ledgers/client-calls", {"q": "region_not_listed"}).content.decode()
    assert "310104" in log
    csv = b"".join(desk.get("/desk/ledgers/client-calls/export", {"format": "csv"}).streaming_content).decode()  # type: ignore[attr-defined]
    lines = csv.strip().splitlines()
    assert len(lines) == 1 + 10
    for word in (
        HOME,
        "203.0.113.16",
        "2001:db8:7::99",
        "address_not_listed",
        "signature_app",
        "已答复",
        "已拒绝",
        app,
    ):
        assert word in csv
    for name in ("qu", "jiezhen", "jumin", "guihua"):
        other = Client()
        other.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
        assert other.get("/desk/ledgers/client-calls").status_code == 403
        assert other.get(f"/desk/clients/{app}").status_code == 403


class TestSignature:
    def test_the_same_request_twice_is_refused_the_second_time(self, platform: Platform) -> None:
        headers = platform.signed("GET", BASE, "region=310101")
        assert platform.get("region=310101", headers).status_code == 200
        assert platform.get("region=310101", headers).status_code == 401
        assert last().reason == "signature_replayed"

    @pytest.mark.parametrize("seconds", [-301, 302])
    def test_a_stale_or_early_one_is_refused(self, platform: Platform, seconds: int) -> None:
        headers = platform.signed("GET", BASE, "region=310101", now=time.time() + seconds)
        assert platform.get("region=310101", headers).json()["code"] == "signature_invalid"
        assert last().reason == "signature_stale"

    @pytest.mark.parametrize(
        "query",
        ["region=310104", "region=310101&limit=1", "region=310101&region=310101", "region=310101&", "Region=310101"],
    )
    def test_parameters_are_part_of_what_is_signed(self, platform: Platform, query: str) -> None:
        answer = platform.get(query, platform.signed("GET", BASE, "region=310101"))
        # an empty pair says nothing, and signs the same
        assert answer.status_code == (200 if query.endswith("&") else 401)

    def test_the_body_is_part_of_what_is_signed(self, platform: Platform, house: Facility) -> None:
        path, query = f"{BASE}/{house.pk}/vacancies", f"organisation={CODE}"
        headers = platform.signed("POST", path, query, b'{"vacancies": 3}')
        answer = platform.client.post(
            f"{path}?{query}", b'{"vacancies": 90}', content_type="application/json", headers={**headers, "X-Real-IP": HOME}
        )  # fmt: skip
        assert answer.status_code == 401
        assert not CapacityReport.objects.filter(actor__startswith="client:").exists()

    def test_all_refusals_read_the_same_and_the_log_knows_why(self, platform: Platform, manager: Scope) -> None:
        wrong = Platform(platform.app, "not-the-secret")
        unknown = Platform("pt_0000000000", platform.secret)
        replayed = platform.signed("GET", BASE, "region=310101")
        platform.get("region=310101", replayed)
        answers = [wrong.get("region=310101"), unknown.get("region=310101"), platform.get("region=310101", replayed)]
        turn_client(app=platform.app, active=False, scope=manager)
        answers.append(platform.get("region=310101"))
        assert {answer.content for answer in answers} == {answers[0].content}
        assert answers[0]["Content-Type"].startswith("application/problem+json")
        reasons = list(ClientCall.objects.order_by("id").values_list("reason", flat=True))
        assert reasons == ["", "signature_wrong", "signature_app", "signature_replayed", "signature_app"]

    def test_a_key_of_an_account_opens_nothing_here(self, platform: Platform) -> None:
        from services.access.actions import create_api_key

        _, token = create_api_key(user=User.objects.create_user("dev"), name="小程序")
        assert platform.get("region=310101", {"Authorization": f"Bearer {token}"}).status_code == 401

    @given(
        pairs=st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=5)), max_size=6), seed=st.randoms()
    )
    def test_the_order_of_parameters_does_not_matter_and_nothing_else_is_lost(
        self, pairs: list[tuple[str, str]], seed: Any
    ) -> None:
        from urllib.parse import parse_qsl, urlencode

        clean = [(a.encode("utf-8", "ignore").decode(), b.encode("utf-8", "ignore").decode()) for a, b in pairs]
        mixed = seed.sample(clean, len(clean))
        assert target("/p", urlencode(clean)) == target("/p", urlencode(mixed))
        _, _, query = target("/p", urlencode(clean)).partition("?")
        assert parse_qsl(query, keep_blank_values=True) == sorted(clean)


class TestKeys:
    def test_two_live_side_by_side_and_the_old_one_is_stopped(self, platform: Platform, manager: Scope) -> None:
        old = ClientKey.objects.get()
        _, fresh = make_client_key(app=platform.app, scope=manager)
        following = Platform(platform.app, fresh)
        assert [each.get("region=310101").status_code for each in (platform, following)] == [200, 200]
        with pytest.raises(Conflict, match="已有两个"):
            make_client_key(app=platform.app, scope=manager)
        stop_client_key(app=platform.app, label=old.label, scope=manager)
        assert [each.get("region=310101").status_code for each in (platform, following)] == [401, 200]
        old.refresh_from_db()
        assert old.secret == ""
        assert old.last_used_on is not None

    def test_acts_are_audited_without_the_secret(self, platform: Platform, manager: Scope) -> None:
        stop_client_key(app=platform.app, label=ClientKey.objects.get().label, scope=manager)
        rows = list(AuditEntry.objects.filter(actor="shi").order_by("id").values_list("act", "detail"))
        assert [act for act, _ in rows] == ["client_saved", "client_key_made", "client_key_stopped"]
        assert platform.secret not in str(rows)

    def test_a_district_manager_may_not_let_anybody_in(self, platform: Platform) -> None:
        district = Scope(paths=("310000.310101.",), duties=frozenset({"clients.edit"}), actor="qu")
        for act in (
            lambda: register_client(wanted=WANTED, scope=district),
            lambda: make_client_key(app=platform.app, scope=district),
            lambda: change_client(app=platform.app, wanted=WANTED, scope=district),
        ):
            with pytest.raises(Forbidden):
                act()


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("", "parameter_not_once"),
            ("region=", "region_not_listed"),
            ("region=310101&region=310101", "parameter_not_once"),
            ("region=310000", "region_not_listed"),  # a city above a listed district
            ("region=310101%20", "region_not_listed"),
            ("region=%EF%BC%93%EF%BC%91%EF%BC%90101", "region_not_listed"),  # full-width digits
            ("region=310101&organisation=", "organisation_not_listed"),
            (f"region=310101&organisation={CODE.lower()}", "organisation_not_listed"),
            ("region=310101&crs=wgs84", "parameter_unknown"),
        ],
    )
    def test_they_fit_exactly_or_nothing_is_answered(self, platform: Platform, query: str, code: str) -> None:
        answer = platform.get(query)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert (last().outcome, last().reason) == ("refused", code)

    def test_a_street_of_a_listed_district_is_not_listed(self, platform: Platform) -> None:
        from geo.regions.queries import children_of

        street = children_of("310101", scope=Scope.public())[0]
        assert platform.get(f"region={street.code}").json()["code"] == "region_not_listed"

    def test_an_operation_that_is_not_listed_is_refused(
        self, platform: Platform, manager: Scope, house: Facility
    ) -> None:
        change_client(
            app=platform.app, wanted=replace(WANTED, operations=["institutions.read"]), scope=manager
        )  # fmt: skip
        path = f"{BASE}/{house.pk}/vacancies"
        assert platform.post(path, f"organisation={CODE}", {"vacancies": 3}).json()["code"] == "operation_not_listed"

    def test_pages_follow_each_other_and_every_institution_comes_once(self, platform: Platform) -> None:
        district = region_by_code("310101", scope=Scope.public())
        homes = Facility.objects.filter(kind__group="eldercare").order_by("pk")[:5]
        Facility.objects.filter(pk__in=[home.pk for home in homes]).update(region=district.region_id, status="open")
        whole = [one["id"] for one in platform.get("region=310101&limit=200").json()["institutions"]]
        seen, after = [], 0
        while after is not None:
            page = platform.get(f"region=310101&limit=2&after={after}").json()
            seen += [one["id"] for one in page["institutions"]]
            after = page["next"]
        assert seen == whole == sorted(set(seen))
        assert len(seen) >= 5


class TestVacancies:
    def test_what_a_platform_reports_is_on_the_page_of_the_place(self, platform: Platform, house: Facility) -> None:
        path = f"{BASE}/{house.pk}/vacancies"
        answer = platform.post(path, f"organisation={CODE}", {"vacancies": 3, "places": 120})
        assert (answer.status_code, answer.json()["vacancies"]) == (200, 3)
        report = CapacityReport.objects.get(actor__startswith="client:")
        assert (report.actor, report.reported_by) == (f"client:{platform.app}", "system")
        assert "余位 3" in Client().get(f"/places/{house.pk}").content.decode()

    def test_a_house_of_others_is_unknown(self, platform: Platform, house: Facility) -> None:
        other = Facility.objects.filter(kind__group="eldercare").exclude(pk=house.pk).first()
        assert other is not None
        path = f"{BASE}/{other.pk}/vacancies"
        assert platform.post(path, f"organisation={CODE}", {"vacancies": 3}).status_code == 404
        assert not CapacityReport.objects.filter(actor__startswith="client:").exists()

    @pytest.mark.parametrize(
        ("said", "status"),
        [({"vacancies": 121}, 400), ({"vacancies": -1}, 400), ({"vacancies": 1, "status": "x"}, 400)],
    )
    def test_impossible_figures_are_faulty_not_refused(
        self, platform: Platform, house: Facility, said: Any, status: int
    ) -> None:
        answer = platform.post(f"{BASE}/{house.pk}/vacancies", f"organisation={CODE}", said)
        assert answer.status_code == status
        assert (last().outcome, last().status) == ("faulty", status)


class TestQuotas:
    def test_the_minute_and_the_day_run_out(self, platform: Platform, manager: Scope) -> None:
        change_client(app=platform.app, wanted=replace(WANTED, per_minute=2, per_day=5), scope=manager)
        codes = []
        for minute in range(3):
            with time_machine.travel(datetime(2026, 12, 22, 3, minute, 30, tzinfo=UTC), tick=False):
                codes += [platform.get("region=310101").json().get("code", "ok") for _ in range(3)]
                refused = platform.get("region=310101")
        assert codes == ["ok", "ok", "minute_quota", "ok", "ok", "minute_quota", "ok", "day_quota", "minute_quota"]
        assert (refused.status_code, refused["Retry-After"]) == (429, "30")
        with time_machine.travel(datetime(2026, 12, 22, 16, 0, 30, tzinfo=UTC), tick=False):  # midnight in the city
            assert platform.get("region=310101").status_code == 200

    def test_calls_of_others_and_unsigned_ones_use_nothing_up(self, platform: Platform, manager: Scope) -> None:
        change_client(app=platform.app, wanted=replace(WANTED, per_minute=1, per_day=1), scope=manager)
        for _ in range(3):
            Platform(platform.app, "wrong").get("region=310101")
        assert platform.get("region=310101").status_code == 200

    def test_an_address_that_signs_nothing_right_neither_fills_the_log_nor_goes_on_for_ever(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calling, "STRANGERS_A_MINUTE", 3)
        stranger = Platform("pt_nobody", "x", "198.51.100.9")
        statuses = [stranger.get("region=310101").status_code for _ in range(7)]
        assert statuses == [401, 401, 401, 429, 429, 429, 429]
        assert [call.reason for call in ClientCall.objects.order_by("id")] == ["signature_app"] * 3 + [
            "too_many_unsigned"
        ]
        assert platform.get("region=310101").status_code == 200


class TestAddress:
    """Who may say where a call comes from: the proxy beside us, and nobody else."""

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-For", "Forwarded", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP"]
    )
    def test_no_other_header_moves_an_address(self, platform: Platform, header: str) -> None:
        headers = {**platform.signed("GET", BASE, "region=310101"), header: HOME}
        assert platform.get("region=310101", headers, address="198.51.100.1").json()["code"] == "address_not_listed"

    def test_a_caller_who_reaches_us_directly_says_nothing_of_his_address(self, platform: Platform) -> None:
        headers = {**platform.signed("GET", BASE, "region=310101"), "X-Real-IP": HOME}
        answer = platform.client.get(f"{BASE}?region=310101", headers=headers, REMOTE_ADDR="198.51.100.1")
        assert answer.json()["code"] == "address_not_listed"
        assert last().address == "198.51.100.1"

    @pytest.mark.parametrize("said", ["", "203.0.113.7, 198.51.100.1", "unknown", "203.0.113.7\t"])
    def test_a_garbled_address_is_listed_nowhere(self, platform: Platform, said: str) -> None:
        headers = {**platform.signed("GET", BASE, "region=310101"), "X-Real-IP": said}
        answer = platform.client.get(f"{BASE}?region=310101", headers=headers)
        assert answer.status_code == (200 if said.strip() == HOME else 403)


def test_a_call_that_cannot_be_written_down_is_not_answered(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(ClientCall.objects, "create", fails)
    answer = platform.get("region=310101")
    assert answer.status_code == 500
    assert b"institutions" not in answer.content


class Store:
    """A Redis of the test's own, which can be stopped, held still and started again on its port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        said = [
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--dir",
            str(self.folder),
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen(["redis-server", *said], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(RedisError), redis.Redis.from_url(self.url) as client:
                client.ping()
                return
            time.sleep(0.02)
        raise AssertionError("the test's own Redis does not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> Iterator[Store]:
    made = Store(tmp_path)
    default = settings.CACHES["default"]
    settings.CACHES = {"default": {**default, "LOCATION": made.url}}
    yield made
    made.stop()


def test_without_the_store_nobody_is_let_in_and_all_goes_on_when_it_is_back(
    platform: Platform, house: Facility, store: Store
) -> None:
    calls = ClientCall.objects.count

    def answered() -> tuple[int, str]:
        before, said = calls(), platform.get("region=310101")
        assert calls() == before + 1, "every call is written down, refused or not"
        return said.status_code, last().reason

    assert answered() == (200, "")
    store.stop()
    for _ in range(2):
        assert answered() == (503, "store_away")
    refused = platform.get("region=310101")
    assert (refused.json()["code"], refused["Retry-After"]) == ("gate_away", "5")
    assert house.name not in refused.content.decode()
    assert last().outcome == "refused"
    store.start()
    assert answered() == (200, ""), "by itself, and with nothing that was asked meanwhile"
    store.process.send_signal(signal.SIGSTOP)  # there, but it does not answer: the same, and soon
    assert answered() == (503, "store_away")
    store.process.send_signal(signal.SIGCONT)
    assert answered() == (200, "")


@pytest.mark.django_db
def test_the_worked_example_of_the_documentation_is_what_a_stranger_computes() -> None:
    import hashlib
    import hmac

    page = Client().get("/developer").content.decode()
    example = page[page.index("<h3>对一遍</h3>") :]
    text, signature = re.findall(r"<pre tabindex=\"0\"><code>(.*?)</code>", example, re.S)[:2]
    plain = text.replace("&amp;", "&")
    assert hmac.new(b"example-secret-of-the-documentation", plain.encode(), "sm3").hexdigest() == signature
    assert plain.splitlines()[4] == hashlib.new("sm3", b"").hexdigest()


def test_the_desk_says_what_is_wrong_and_keeps_what_was_typed(house: Facility) -> None:
    make_demo_accounts()
    desk = Client()
    desk.force_login(User.objects.get(username="shi"), backend="django.contrib.auth.backends.ModelBackend")
    form = {"name": "一个平台", "keeper": "某局", "region": "310101", "networks": "0.0.0.0/0", "operations": "institutions.read",
            "regions": "310101", "per_minute": "60", "per_day": "100"}  # fmt: skip
    answer = desk.post("/desk/clients/new", form)
    assert answer.status_code == 400
    assert "范围太大" in answer.content.decode()
    assert "一个平台" in answer.content.decode()
    assert not ApiClient.objects.exists()
