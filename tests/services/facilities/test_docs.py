"""The documentation of the API, in a real browser that reaches nobody but us."""

from __future__ import annotations

from typing import Any


def test_the_documentation_works_offline_under_our_content_policy(live_city: str, open_page: Any) -> None:
    page = open_page(1280, 900)
    page.goto(f"{live_city}/api/docs")
    page.wait_for_selector(".opblock-summary-path")
    paths = page.locator(".opblock-summary-path").all_inner_texts()
    shown = {path.replace("\u200b", "") for path in paths}
    assert {"/api/v1/circle", "/api/v1/places", "/api/v1/geocode", "/api/v1/convert"} <= shown
    block = page.locator(".opblock", has=page.locator('[data-path="/api/v1/kinds"]'))
    block.locator(".opblock-summary").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table tr.response .response-col_status")
    assert "200" in block.locator(".live-responses-table tr.response .response-col_status").first.inner_text()
