"""长辈版: larger, plainer, list before map, two actions, a human always one tap away."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Spot


def test_an_elder_turns_on_the_large_view_and_calls_the_nearest_canteen(
    page: Any, live_city: str, elders: Spot
) -> None:
    from geo.crs import Coordinate, System
    from geo.scope import Scope
    from services.facilities.circle import nearest_by_road

    page.goto(live_city)
    page.get_by_role("button", name="长辈版").click()
    page.locator("[data-view=elder]").wait_for(state="attached")
    page.get_by_label("写路名、小区名，或者门牌").fill(elders.name)
    page.get_by_role("button", name="查一查").click()
    page.locator(".elder-card, .elder-options").first.wait_for()
    candidate = page.locator(".elder-options a", has_text=elders.name).first
    if candidate.count():
        candidate.click()
    page.locator(".elder-card").first.wait_for()
    origin = Coordinate(elders.lon, elders.lat, System.CGCS2000)
    found = nearest_by_road(scope=Scope.public(), origin=origin, mode="elder", kinds=("canteen",), k=5)
    cards = page.locator(".elder-card")
    assert [int(card.get_attribute("data-id")) for card in cards.all()] == [one.place.id for one in found.places]
    first = cards.first
    nearest = found.places[0]
    assert f"走路 {nearest.minutes} 分钟" in first.inner_text()
    call = first.get_by_role("link", name="打电话")
    assert call.get_attribute("href") == "tel:" + "".join(c for c in nearest.place.phone if c.isdigit() or c == "+")
    assert first.locator(".elder-actions a").count() == 2
    assert page.locator("#map").count() == 0

    # Targets, type, contrast of size: every thing to press is 60 by 60 at least, no text under 18.
    for one in page.locator("a:visible, button:visible, input:not([type=hidden]):visible, summary:visible").all():
        box = one.bounding_box()
        if "skip" in (one.get_attribute("class") or "") or one.evaluate("n => n.closest('h2') !== null"):
            continue
        assert box["height"] >= 60, one.inner_text()
        assert box["width"] >= 60, one.inner_text()
    sizes = page.evaluate(
        """() => Array.from(document.querySelectorAll('body *'))
        .filter((n) => n.offsetParent && Array.from(n.childNodes).some((c) => c.nodeType === 3 && c.textContent.trim()))
        .filter((n) => !n.closest('.visually-hidden, .skip'))
        .map((n) => [parseFloat(getComputedStyle(n).fontSize), parseFloat(getComputedStyle(n).lineHeight), n.textContent.trim()])"""
    )
    assert [one for one in sizes if one[0] < 18] == []
    assert [one for one in sizes if one[1] is not None and one[1] / one[0] < 1.3] == []

    # Larger, and larger again; remembered; and back.
    def body() -> float:
        return float(page.locator(".elder-card p").first.evaluate("n => parseFloat(getComputedStyle(n).fontSize)"))

    steps = [body()]
    for step in (2, 3):
        page.get_by_role("button", name="字更大").click()
        page.locator(f'[data-text="{step}"]').wait_for(state="attached")
        steps.append(body())
    assert [round(step / steps[0], 2) for step in steps] == [1.0, 1.25, 1.5]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        for button in page.locator(".elder-bar .button").all():
            assert button.evaluate(
                "n => n.scrollWidth <= n.clientWidth && n.getBoundingClientRect().right <= innerWidth"
            )
    page.reload()
    assert body() == steps[-1]
    assert page.get_by_role("link", name="人工帮忙").get_attribute("href") == "tel:12345"
    page.get_by_role("button", name="标准版").click()
    page.locator("[data-view=standard]").wait_for(state="attached")


def test_the_switch_and_a_human_are_on_every_page(open_page: Any, live_city: str, elders: Spot) -> None:
    page = open_page(390, 844)
    page.goto(f"{live_city}/help")
    page.get_by_role("button", name="长辈版").click()
    for path in (
        "/",
        f"/?{elders.query()}",
        "/?change=service",
        "/places",
        "/saved",
        "/help",
        "/sign-in",
        "/tools/convert",
        "/nowhere",
    ):
        page.goto(f"{live_city}{path}")
        assert page.get_by_role("button", name="标准版").is_visible(), path
        assert page.get_by_role("link", name="人工帮忙").is_visible(), path


def test_the_answer_is_read_aloud_where_the_device_can(open_page: Any, live_city: str, elders: Spot) -> None:
    page = open_page(390, 844)
    page.add_init_script(
        """window.spoken = [];
        Object.defineProperty(window, 'speechSynthesis', {value: {speak: (u) => window.spoken.push(u.text), cancel: () => {}, speaking: false, pending: false}});
        window.SpeechSynthesisUtterance = function (text) { this.text = text; };"""
    )
    page.goto(live_city)
    page.get_by_role("button", name="长辈版").click()
    page.goto(f"{live_city}/?{elders.query()}")
    page.get_by_role("button", name="读给我听").click()
    spoken = page.evaluate("window.spoken")
    assert any(elders.name in text for text in spoken)
    first = page.locator(".elder-card h2").first.inner_text()
    assert first in spoken
