"""Builders of visits on the tiny city: a centre, its head, its workers, a home at a standard address, faces that are drawn."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from PIL import Image, ImageDraw

from geo.addresses.geocode import geocode
from geo.addresses.models import Address
from geo.addresses.placing import single_place
from geo.crs import Coordinate, System
from geo.imports.models import CURRENT
from geo.regions.models import Region
from geo.scope import Scope
from services.access.actions import declare_roles, grant_role
from services.access.models import Organisation, User
from services.access.personal.actions import give_consent
from services.access.queries import Caller, scope_of
from services.fencing.checkins.assigning import Wanted, assign_visit
from services.fencing.checkins.checking import Sent
from services.fencing.checkins.faces import PURPOSE
from services.fencing.checkins.hints import Reading
from services.fencing.checkins.models import Visit
from services.fencing.checkins.sealing import home_of

DISTRICT = "310101"
LAT_100M = 0.0009
"""Degrees of latitude in a hundred metres."""


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre that sends people to homes: its head, two of its workers, who supervises it, and a home's address."""

    organisation: Organisation
    head: User
    worker: User
    other: User
    keeper: User
    address: str

    @property
    def heads(self) -> Scope:
        """Return the scope of its head."""
        return scope_of(Caller(self.head))

    def scope(self, user: User) -> Scope:
        """Return the scope of an account."""
        return scope_of(Caller(user))


def make_centre(name: str = "银杏居家养老服务中心", prefix: str = "") -> Centre:
    """Make a centre in 黄浦 with its accounts; its workers agree to have their faces checked."""
    declare_roles()
    region = Region.objects.get(versions__code=DISTRICT, versions__edition__state="published")
    organisation = Organisation.objects.create(name=name, kind="service_centre", region=region)

    def account(username: str, shown: str, role: str, **over: Any) -> User:
        user = User.objects.create_user(f"{prefix}{username}", password="visits-2026", display_name=shown)
        grant_role(user=user, role=role, granted_by="test", **over)
        return user

    centre = Centre(
        organisation,
        account("zhuren", "周主任", "institution_head", organisation=organisation),
        account("huli1", "钱护理", "service_worker", organisation=organisation),
        account("huli2", "孙护理", "service_worker", organisation=organisation),
        account("jiedao", "街道经办", "street_clerk", region=region),
        known_address(),
    )
    for user in (centre.worker, centre.other):
        give_consent(user=user, purpose=PURPOSE, version=1)
    return centre


def known_address() -> str:
    """Return an address of 黄浦 that is found at its door, and at one place only."""
    rows = Address.objects.filter(CURRENT, region__versions__path__contains=f"{DISTRICT}.").distinct()
    for row in rows.order_by("pk")[:300]:
        found = geocode(text := row.text, scope=Scope.public())
        sure = single_place(found)
        if sure is not None and sure.level == "door":
            return text
    raise AssertionError("the tiny city has no such address")


def wanted(centre: Centre, **over: Any) -> Wanted:
    """Return a visit that began a quarter of an hour ago."""
    begins = timezone.now() - dt.timedelta(minutes=15)
    values = {
        "kind": "care_subsidy", "worker": centre.worker.username, "name": "李阿婆", "address": centre.address,
        "begins": begins, "ends": begins + dt.timedelta(hours=1), "phone": "13800000021", "note": "门铃坏了请敲门",
    }  # fmt: skip
    return Wanted(**values | over)


def visit_of(centre: Centre, **over: Any) -> Visit:
    """Arrange a visit as the head of the centre does."""
    return assign_visit(
        organisation=centre.organisation.pk, wanted=wanted(centre, **over), key=uuid.uuid4(), scope=centre.heads
    )


def at_home(visit: Visit, *, north_m: float = 0.0, accuracy: float = 20.0, **over: Any) -> Reading:
    """Return a position so many metres north of the home of a visit."""
    home = home_of(visit)
    lon, lat = home.lon, home.lat + north_m / 100 * LAT_100M
    now = timezone.now()
    values: dict[str, Any] = {
        "lon": lon, "lat": lat, "accuracy_m": accuracy, "given": Coordinate(lon, lat, System.CGCS2000), "sent_at": now,
        "fixed_at": now,
    }  # fmt: skip
    return Reading(**values | over)


def sent(act: str = "in", **over: Any) -> Sent:
    """Return a tap with two pictures of the worker's face."""
    values: dict[str, Any] = {
        "key": uuid.uuid4(),
        "act": act,
        "pictures": (face("a"), face("a", turned=1)),
        "device": "d1",
    }
    return Sent(**values | over)


def face(who: str, *, turned: int = 0) -> bytes:
    """Return a drawn face as JPEG; ``turned`` moves it a little, another ``who`` is another face."""
    image = Image.new("RGB", (320, 320), (238, 228, 214))
    draw = ImageDraw.Draw(image)
    if who == "a":
        draw.ellipse((70 + turned, 40, 250 + turned, 290), fill=(224, 172, 140))
        draw.ellipse((110 + turned, 120, 140 + turned, 145), fill=(40, 30, 30))
        draw.ellipse((180 + turned, 120, 210 + turned, 145), fill=(40, 30, 30))
        draw.rectangle((70 + turned, 30, 250 + turned, 90), fill=(30, 25, 25))
        draw.rectangle((125 + turned, 230, 195 + turned, 240), fill=(160, 60, 60))
    else:
        for step in range(0, 320, 40):
            draw.rectangle((step, 0, step + 18, 320), fill=(60, 110, 70 + step // 3))
        draw.rectangle((0, 200 + turned, 320, 230 + turned), fill=(220, 210, 90))
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=90)
    return out.getvalue()
