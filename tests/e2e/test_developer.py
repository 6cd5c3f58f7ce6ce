"""An app developer reads the documentation, gets a key, asks for a circle in GCJ-02 and gets GCJ-02."""

from __future__ import annotations

import math
from typing import Any

from tests.e2e.conftest import Spot


def test_a_developer_reads_gets_a_key_asks_in_gcj02_and_gets_gcj02(
    open_page: Any, live_city: str, families: Spot
) -> None:
    from geo.crs import Coordinate, System, convert
    from services.access.demo import DEMO_PASSWORD, make_demo_accounts
    from services.facilities.models import Facility

    make_demo_accounts()
    page = open_page(1440, 900)
    page.goto(f"{live_city}/api/docs")
    page.get_by_text("/api/v1/circle").first.wait_for()

    page.goto(f"{live_city}/account")
    page.get_by_role("textbox", name="账号").fill("jumin")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("这个密钥用在哪里").fill("测试应用")
    page.get_by_role("button", name="新建密钥").click()
    key = page.locator(".token").inner_text().strip()

    mars = convert(Coordinate(families.lon, families.lat, System.CGCS2000), System.GCJ02)
    query = f"lon={mars.x}&lat={mars.y}&minutes=15&mode=pram&kinds=childcare&crs=gcj02"
    answer = page.request.get(f"{live_city}/api/v1/circle?{query}", headers={"Authorization": f"Bearer {key}"})
    assert answer.ok
    said = answer.json()
    assert said["places"]
    for place in said["places"]:
        facility = Facility.objects.get(pk=place["id"])
        back = convert(Coordinate(place["lon"], place["lat"], System.GCJ02), System.CGCS2000)
        assert math.hypot((back.x - facility.geom.x) * 95_300, (back.y - facility.geom.y) * 110_900) < 0.1
    ring = said["isochrone"]["geometry"]["coordinates"]
    while not isinstance(ring[0][0], (int, float)):
        ring = ring[0]
    assert any(abs(x - mars.x) < 0.02 for x, _ in ring)
    refused = page.request.get(f"{live_city}/api/v1/circle?{query}", headers={"Authorization": "Bearer wrong"})
    assert refused.status == 401
