"""Visits to people's homes in a real browser with a camera and a place of its own: arranged, confirmed by face and place, looked at."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from PIL import Image

from services.fencing.checkins.models import CheckIn, Face, Visit, VisitState
from services.fencing.checkins.queries import to_review
from services.fencing.checkins.sealing import facts_of, home_of
from services.integrations.faces.simulator import Mood, Simulator
from tests.e2e.conftest import faults_of, without_script
from tests.reading import WITH_CAMERA
from tests.services.fencing.checkins.visiting import Centre, face, make_centre, visit_of

PASSWORD = "visits-2026"
FRAMES = 12


def frame(who: str, turned: int) -> bytes:
    """Return what the camera sees: a face that moves a little."""
    wide = Image.new("RGB", (640, 480), (238, 228, 214))
    wide.paste(Image.open(io.BytesIO(face(who, turned=turned))), (160, 80))
    out = io.BytesIO()
    wide.save(out, format="JPEG", quality=90)
    return out.getvalue()


@pytest.fixture(scope="module")
def _browser(_browser: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """Launch a browser whose camera shows the worker's face."""
    film = tmp_path_factory.mktemp("camera") / "face.mjpeg"
    film.write_bytes(b"".join(frame("a", turned) for turned in range(FRAMES)))
    browser = _browser.browser_type.launch(
        executable_path=WITH_CAMERA,
        args=[
            "--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost", "--disable-gpu-compositing",
            "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}",
        ],
    )  # fmt: skip
    yield browser
    browser.close()


@pytest.fixture
def centre(live_city: str, settings: Any, tmp_path: Path) -> Centre:
    settings.MEDIA_ROOT = tmp_path / "media"
    tag = uuid.uuid4().hex[:6]
    return make_centre(f"银杏居家养老服务中心{tag}", tag)


@pytest.fixture
def faces(centre: Centre, settings: Any) -> Iterator[Simulator]:
    cache.clear()
    known = {str(centre.worker.uid): frame("a", 0), str(centre.other.uid): frame("b", 0)}
    with Simulator(app="quantu", secret="s3cret", known=known) as simulator:
        settings.FACES_URL, settings.FACES_APP, settings.FACES_SECRET = simulator.url, "quantu", "s3cret"
        settings.FACES_TIMEOUT_S, settings.INSIDE_HOSTS = 3.0, ["127.0.0.1"]
        yield simulator


def enter(page: Any, live_city: str, username: str, target: str) -> None:
    """Sign in as somebody of the centre."""
    page.goto(f"{live_city}/sign-in?next={target}")
    page.get_by_role("textbox", name="账号").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"**{target}")


def phone(open_page: Any, **options: Any) -> Any:
    """Return the telephone of a worker, which may use camera and place."""
    page = open_page(390, 844, has_touch=True, **options)
    page.context.grant_permissions(["camera", "geolocation"])
    return page


def stand(page: Any, visit: Visit, *, north_m: float = 0.0, accuracy: float = 20.0) -> None:
    """Put a telephone so many metres north of the home of a visit."""
    home = home_of(visit)
    place = {"longitude": home.lon, "latitude": home.lat + north_m * 0.000009, "accuracy": accuracy}
    page.context.set_geolocation(place)


def shoot(page: Any) -> None:
    page.get_by_role("button", name="拍照").click()
    page.get_by_text("拍好了").wait_for()


def arranged(open_page: Any, live_city: str, centre: Centre, kind: str) -> Visit:
    """Arrange a visit for now at the desk, as the head of the centre does."""
    desk = open_page(1440, 900)
    enter(desk, live_city, centre.head.username, "/desk/visits")
    desk.get_by_role("link", name="安排一次").click()
    desk.get_by_label("服务类型").select_option(label=kind)
    desk.get_by_label("服务人员").select_option(label="钱护理")
    now = timezone.localtime()
    begins = now - dt.timedelta(minutes=10)
    begins = min(begins, begins.replace(hour=23, minute=58))  # it ends on the day on which it begins
    desk.get_by_label("日期").fill(f"{begins:%F}")
    desk.get_by_label("开始").fill(f"{begins:%H:%M}")
    desk.get_by_label("结束").fill(f"{min(begins + dt.timedelta(hours=1), begins.replace(hour=23, minute=59)):%H:%M}")
    desk.get_by_label("老人姓名").fill("李阿婆")
    desk.get_by_label("联系电话").fill("13800000021")
    desk.get_by_label("服务地址").fill(centre.address)
    assert faults_of(desk) == []
    desk.get_by_role("button", name="安排").click()
    desk.get_by_text("已安排给钱护理").wait_for()
    assert "李阿婆" not in desk.content()
    assert "李**" in desk.locator("main").inner_text()
    return Visit.objects.get(organisation=centre.organisation)


@pytest.mark.covers("ELD-FLOW-04c", via="services.fencing.checkins.checking:check_in")
@pytest.mark.covers("ELD-FLOW-05c", via="services.fencing.checkins.checking:check_in")
@pytest.mark.parametrize("kind", ["养老服务补贴上门", "家庭照护床位上门"])
def test_who_serves_checks_in_and_out_on_the_telephone_by_face_and_place(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator, kind: str
) -> None:
    """移动端签到打卡: in and out on a telephone; 人脸识别身份确认: another face does not pass; 定位确认: elsewhere does not pass."""
    visit = arranged(open_page, live_city, centre, kind)
    page = phone(open_page)
    enter(page, live_city, centre.worker.username, "/my/visits")
    page.get_by_role("link", name=kind).click()
    main = page.locator("main")
    assert "李阿婆" in main.inner_text()
    assert centre.address in main.inner_text()
    # elsewhere: told how far, not confirmed
    stand(page, visit, north_m=900)
    shoot(page)
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("离服务地址约 900 米").wait_for()
    visit.refresh_from_db()
    assert visit.state == VisitState.PLANNED
    # at the door, but the service knows another face by this name
    faces.known[str(centre.worker.uid)] = frame("b", 0)
    stand(page, visit, north_m=40)
    shoot(page)
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("和您登记的底照不一致").wait_for()
    assert not visit.checkins.filter(counts=True).exists()
    # himself, at the door
    faces.known[str(centre.worker.uid)] = frame("a", 0)
    shoot(page)
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("签到成功：到位，离服务地址约 40 米").wait_for()
    assert faults_of(page) == []
    visit.refresh_from_db()
    assert visit.state == VisitState.PRESENT
    first = visit.checkins.get(counts=True)
    assert (first.verdict, first.face, first.certainty, first.distance_m) == ("present", Face.MATCHED, "in", 40)
    assert faces.asked[str(first.key)] == 1
    kept = facts_of(first.facts)
    assert (round(kept.lat or 0, 4), kept.system) == (round(home_of(visit).lat + 0.00036, 4), "wgs84")
    shoot(page)
    page.get_by_role("button", name="签退", exact=True).dblclick()
    page.get_by_text("签退成功：到位").wait_for()
    visit.refresh_from_db()
    assert visit.state == VisitState.DONE
    assert visit.checkins.filter(counts=True).count() == 2
    assert "李阿婆" not in main.inner_text()  # the service is over: the home is not shown any more
    page.goto(f"{live_city}/my/visits")
    assert kind in page.get_by_role("region", name="已完成").inner_text()


def test_a_telephone_that_may_not_say_where_it_is_is_told_what_to_do(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator
) -> None:
    visit = visit_of(centre)
    page = open_page(390, 844, has_touch=True)
    enter(page, live_city, centre.worker.username, f"/my/visits/{visit.uid}")
    page.get_by_role("button", name="拍照").click()
    page.get_by_text("打不开镜头").wait_for()
    page.context.grant_permissions(["camera"])
    shoot(page)
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("没有拿到位置").wait_for()
    assert CheckIn.objects.filter(visit=visit).count() == 0
    page.get_by_role("button", name="按说明签到").click()
    page.get_by_text("请写明情况").wait_for()
    page.get_by_label("什么情况").fill("地下室没有信号，家属在场")
    page.get_by_role("button", name="按说明签到").click()
    page.get_by_text("签到成功：按说明的情况打卡").wait_for()
    row = visit.checkins.get()
    assert (row.verdict, row.manual, row.counts, row.face) == ("unlocated", True, True, Face.MATCHED)
    assert row.pk in {each.pk for each in to_review(scope=centre.scope(centre.keeper))}


def test_without_network_nothing_is_lost_and_the_same_tap_is_sent_again(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator
) -> None:
    visit = visit_of(centre)
    page = phone(open_page)
    enter(page, live_city, centre.worker.username, f"/my/visits/{visit.uid}")
    stand(page, visit)
    shoot(page)
    page.route("**/check", lambda route: route.abort())
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("没有网络，还没有成功").wait_for()
    page.unroute("**/check")
    faces.mood = Mood.SILENT  # and the face service is away: it waits
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("人脸待核验").first.wait_for()
    assert visit.checkins.get().face == Face.PENDING


def test_without_script_one_takes_a_photo_and_says_what_is_the_matter(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator, tmp_path: Path
) -> None:
    visit = visit_of(centre)
    page = open_page(390, 844)
    without_script(page)
    enter(page, live_city, centre.worker.username, f"/my/visits/{visit.uid}")
    shot = tmp_path / "me.jpg"
    shot.write_bytes(frame("a", 3))
    page.get_by_label("照片", exact=True).set_input_files(shot)
    page.get_by_role("button", name="签到", exact=True).click()
    page.get_by_text("没有拿到位置").wait_for()
    page.get_by_text("说明情况").last.click()
    page.get_by_label("照片", exact=True).set_input_files(shot)
    page.get_by_label("什么情况").fill("手机太旧，取不到位置")
    page.get_by_role("button", name="按说明签到").click()
    page.get_by_text("签到成功").wait_for()
    row = visit.checkins.get(counts=True)
    assert (row.manual, row.face) == (True, Face.MATCHED)


@pytest.mark.parametrize(("elder", "scheme"), [("", "light"), ("", "dark"), ("1", "light")])
def test_the_pages_of_a_visit_are_for_thumbs_in_every_palette(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator, elder: str, scheme: str
) -> None:
    visit = visit_of(centre)
    page = open_page(390, 844, color_scheme=scheme)
    enter(page, live_city, centre.worker.username, "/my/visits")
    if elder:
        page.context.add_cookies([{"name": "elder", "value": elder, "url": live_city}])
    for path in ("/my/visits", f"/my/visits/{visit.uid}", "/help/checkins"):
        page.goto(f"{live_city}{path}")
        assert page.locator("html").get_attribute("data-view") == ("elder" if elder else "standard")
        assert faults_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{live_city}/my/visits/{visit.uid}")
    heights = [button.bounding_box()["height"] for button in page.locator(".check-button:visible").all()]
    assert len(heights) == 2
    assert min(heights) >= (60 if elder else 56)


def test_who_supervises_sees_the_day_and_decides_of_what_is_doubtful(
    open_page: Any, live_city: str, centre: Centre, faces: Simulator
) -> None:
    from services.access.models import AuditEntry
    from services.fencing.checkins.checking import check_in
    from tests.services.fencing.checkins.visiting import at_home, sent

    visit = visit_of(centre)
    doubted = sent(reading=at_home(visit, mocked=True), pictures=(frame("a", 0), frame("a", 1)))
    row = check_in(visit_uid=visit.uid, sent=doubted, user=centre.worker, scope=centre.scope(centre.worker))
    page = open_page(1440, 900)
    enter(page, live_city, centre.keeper.username, "/desk/checkins")
    main = page.locator("main")
    assert "疑似模拟定位" in main.inner_text()
    assert "手机报告位置来自模拟定位" in main.inner_text()
    assert faults_of(page) == []
    page.get_by_role("listitem").filter(has_text=visit.number).get_by_role("link").click()
    assert "李阿婆" not in main.inner_text()
    page.get_by_role("button", name="查看位置、地址和说明").click()
    page.get_by_text("李阿婆").wait_for()
    assert centre.address in main.inner_text()
    assert "与记录里的摘要一致" in main.inner_text()
    assert AuditEntry.objects.filter(act="answer_revealed", detail__checkin=row.pk).count() == 1
    page.get_by_role("button", name="不通过").click()
    page.get_by_text("不通过请写明原因").wait_for()
    page.get_by_label("意见").fill("老人说没有来")
    page.get_by_role("button", name="不通过").click()
    page.get_by_text("已记为不通过").wait_for()
    assert faults_of(page) == []
    page.goto(f"{live_city}/desk/ledgers/checkins?f.verdict=suspect")
    assert visit.number in main.inner_text()
    assert not to_review(scope=centre.scope(centre.keeper)).filter(visit=visit).exists()
