"""A manager sets how a layer is drawn in a real browser: breaks moved by mouse and keys, the map and the legend follow."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import faults_of
from tests.e2e.test_desk import sign_in


def legend(page: Any) -> list[str]:
    return [" ".join(one.split()) for one in page.locator("#style-parts .legend-lines li").all_inner_texts()]


def drawn(page: Any, times: int) -> str:
    """Wait until the map drew the style so often, and return the colours and breaks it draws by."""
    page.wait_for_function(
        "(least) => Number(document.getElementById('style-map').dataset.drawn || 0) >= least", arg=times
    )
    return str(
        page.evaluate(
            "() => JSON.stringify(document.getElementById('style-map').quantu.getStyle().layers"
            ".filter((one) => one.id.startsWith('styled-')).map((one) => one.paint))"
        )
    )


def test_breaks_are_moved_and_map_and_legend_follow(open_page: Any, live_city: str) -> None:
    from layers.styles.models import StyleVersion

    page = open_page(1440, 1000)
    sign_in(page, live_city, "shi", "/desk/layers/buildings/style")
    assert faults_of(page) == []
    page.get_by_label("按数值分级上色").check(force=True)
    page.get_by_label("按哪个属性").wait_for()
    page.get_by_label("按哪个属性").select_option(value="height_m")
    page.locator("#style-histogram .cut").first.wait_for()
    page.get_by_label("分级方法").select_option(value="equal")
    page.get_by_label("分几级").select_option(value="4")
    page.wait_for_function("() => document.querySelectorAll('#style-histogram .cut').length === 3")
    before, first = legend(page), drawn(page, 1)
    assert len([one for one in before if "没有数据" not in one]) == 4
    assert faults_of(page) == []
    # By keys: the first break goes up by a hundredth of the span.
    written = page.locator("#breaks").input_value()
    page.locator("#style-histogram .cut").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#breaks").input_value() != written
    assert page.get_by_label("分级方法").input_value() == "manual"
    page.wait_for_function("(was) => document.querySelector('#style-parts .legend-lines li').innerText.trim() !== was",
                           arg=page.locator("#style-parts .legend-lines li").first.inner_text().strip())  # fmt: skip
    # By mouse: the last one far to the left, but never past its neighbour.
    box = page.locator("#style-histogram .cut line").last.bounding_box()
    page.mouse.move(box["x"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function(
        "(was) => document.getElementById('style-map').dataset.drawn > was",
        arg=page.locator("#style-map").get_attribute("data-drawn"),
    )
    cuts = [float(one) for one in page.locator("#breaks").input_value().split(",")]
    assert cuts == sorted(cuts)
    now = drawn(page, 2)
    assert now != first
    assert all(f"{cut:g}" in now for cut in cuts)
    assert legend(page) != before
    page.get_by_role("button", name="保存，马上生效").click()
    page.get_by_text("已保存第 1 版").wait_for()
    kept = StyleVersion.objects.get(layer="buildings")
    assert kept.data["breaks"] == cuts
    said = page.request.get(f"{live_city}/layers/buildings/style.json").text()
    assert all(f"{cut:g}" in said for cut in cuts)
    # Taken back, and on every screen.
    page.get_by_role("button", name="恢复默认样式").click()
    page.get_by_text("已保存第 2 版").wait_for()
    for width, scheme in ((390, "light"), (390, "dark"), (1440, "dark")):
        other = open_page(width, 900, color_scheme=scheme)
        sign_in(other, live_city, "shi", "/desk/layers/buildings/style")
        assert faults_of(other) == [], (width, scheme)
        assert int(other.evaluate("document.documentElement.scrollWidth")) <= width
