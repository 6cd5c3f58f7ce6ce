"""A platform that follows subjects: registered with a key, signing what it sends, in this process or over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.contrib.gis.geos import GEOSGeometry
from django.test import Client
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from geo.fences.areas import hex_of
from geo.fences.evaluate.positions import Position
from geo.fences.models import Fence, FenceEdition
from geo.regions.queries import current_city
from geo.scope import Scope
from services.access.clients.actions import Wanted, make_client_key, register_client
from services.access.clients.models import ApiClient
from services.fencing.following.models import FenceEvent
from services.integrations.signing import signed_headers
from tests.services.fencing.sets import HUANGPU, district

KEEPER = Scope(paths=("310000.",), duties=frozenset({"clients.edit"}), actor="shi")
OPERATIONS = ["fences.follow", "fences.positions", "fences.events", "fences.receiver"]
WANTED = Wanted(
    name="环卫车辆平台", keeper="区绿化市容局 李老师", region=HUANGPU, networks=["203.0.113.0/28"], operations=OPERATIONS,
    regions=[HUANGPU], per_minute=6_000, per_day=1_000_000,
)  # fmt: skip


@dataclass
class Answer:
    """What a call was answered: its status and JSON."""

    status: int
    said: Any


@dataclass
class Platform:
    """A platform with its key; ``server`` is an address, '' for Django's own test client."""

    app: str
    secret: str
    server: str = ""
    browser: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @property
    def row(self) -> ApiClient:
        return ApiClient.objects.get(app=self.app)

    def call(self, method: str, path: str, query: str = "", said: Any = None) -> Answer:
        path = f"/api/v1/fences/{path}"
        body = b"" if said is None else json.dumps(said).encode()
        signed = signed_headers(app=self.app, secret=self.secret, method=method, path=path, query=query, body=body)
        headers = {**signed, "X-Real-IP": "203.0.113.7"}
        target = f"{path}?{query}" if query else path
        if self.server:
            return self._over_http(method, target, body, headers)
        answer = self.browser.generic(method, target, body, content_type="application/json", headers=headers)
        return Answer(answer.status_code, answer.json())

    def _over_http(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        headers = {**headers, "Content-Type": "application/json"}
        asked = urllib.request.Request(self.server + target, data=body or None, headers=headers, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, json.load(refused))

    def follow(self, purpose: str = "alert", **said: Any) -> Answer:
        return self.call("PUT", f"followings/{purpose}", f"region={HUANGPU}", said)

    def report(self, rows: Sequence[Any], crs: str = "cgcs2000") -> Answer:
        return self.call("POST", "positions", said={"crs": crs, "positions": list(rows)})

    def events(self, after: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        answer = self.call("GET", "events", f"after={after}&limit={limit}")
        assert answer.status == 200, answer
        return list(answer.said["events"])

    def all_events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while more := self.events(found[-1]["number"] if found else 0):
            found += more
        return found


def platform(name: str = "环卫车辆平台", **more: Any) -> Platform:
    """Register a platform and give it a key."""
    client = register_client(wanted=replace(WANTED, name=name, **more), scope=KEEPER)
    _, secret = make_client_key(app=client.app, scope=KEEPER)
    return Platform(client.app, secret)


def edition(shapes: dict[str, BaseGeometry], *, purpose: str = "alert", at: dt.datetime | None = None) -> FenceEdition:
    """Publish fences (degrees) at once, without the draft and its checks; the same name is the same fence as before."""
    before = FenceEdition.objects.filter(purpose=purpose, district=district()).order_by("-number").first()
    kept = {row.name: row.same for row in before.areas.all()} if before else {}
    now = at or timezone.now() - dt.timedelta(milliseconds=1)
    row = FenceEdition.objects.create(
        purpose=purpose, district_id=district(), number=before.number + 1 if before else 1, state="published",
        from_moment=now, published_at=now, made_by="qu", changed_by="qu", published_by="shi",
    )  # fmt: skip
    for name, shape in shapes.items():
        Fence.objects.create(
            edition=row,
            same=kept.get(name) or uuid.uuid4(),
            name=name,
            kind="polygon",
            geom=GEOSGeometry(hex_of(shape)),
        )
    return row


def rows_of(subject: str, positions: Iterable[Position], **more: Any) -> list[dict[str, Any]]:
    """Return positions (metres) as a platform reports them, in degrees of CGCS2000."""
    listed = list(positions)
    plane = current_city().plane
    lon, lat = plane.unproject(np.array([p.x for p in listed]), np.array([p.y for p in listed]))
    return [
        {
            "subject": subject, "time": p.time_ms, "lon": float(a), "lat": float(b), "accuracy": p.accuracy_m,
            "seq": p.sequence, **more,
        }
        for p, a, b in zip(listed, lon, lat, strict=True)
    ]  # fmt: skip


def read_back(rows: Iterable[dict[str, Any]]) -> list[Position]:
    """Return reported rows as the house reads them: through degrees, in metres again."""
    listed = list(rows)
    plane = current_city().plane
    x, y = plane.project(np.array([r["lon"] for r in listed]), np.array([r["lat"] for r in listed]))
    return [
        Position(r["time"], float(a), float(b), r["accuracy"], r["seq"]) for r, a, b in zip(listed, x, y, strict=True)
    ]


def told(app: str, subject: str) -> list[tuple[str, str, int, int | None, bool]]:
    """Return what is kept of the events of a subject, in the form of the slow reading."""
    rows = FenceEvent.objects.filter(client__app=app, subject__ref=subject)
    return sorted((str(e.fence), e.kind, ms(e.at), e.after and ms(e.after), e.inferred) for e in rows)


def ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
