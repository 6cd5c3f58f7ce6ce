"""Telling 一张图: where appointments are and what becomes of them, and the fences that count; sent until it takes them.

Of an appointment only the newest version need arrive; there the highest version counts, so that none can overtake a later one.
Fences are held against what 一张图 says it holds, by number and by area, once they are taken.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
import shapely
from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, NotFound
from geo.fences.models import FenceEdition
from geo.geometry import to_plane
from geo.regions.models import RegionVersion
from geo.regions.queries import current_city, published_edition
from geo.scope import Scope
from services.access.queries import check_duty
from services.fencing.queries import editions_at, fences_of
from services.integrations.onemap.client import OneMap, is_connected, metres_of, one_map
from services.integrations.onemap.schemas import FINAL, AppointmentPushed, Code, FencePushed, FencesPushed
from services.integrations.outbox import Outbox
from services.modules.waste.duties import EDIT
from services.modules.waste.models import Appointment, OneMapPush, PushState
from services.modules.waste.placing import PURPOSE
from services.modules.waste.queries import pushes_seen

TELL_TASK: Final = "services.modules.waste.tell_one_map"
PUSH_S: Final = 30.0
DIFFERS: Final = "differs"
"""The code of a push of fences that was taken, while they say they hold others."""
AREA_SLACK: Final = 1e-3
"""The share by which they may measure an area otherwise: they keep millimetres."""
SAID: Final = {
    "not_connected": "还没有接通", "not_reached": "连不上", "resting": "连续出错，暂停访问", "answer_missing": "没有按时答复",
    "answer_unclear": "答复读不懂", "busy": "对方忙", "not_signed": "签名没有通过", "bad_content": "对方说内容不对",
    "refused": "没有答复", DIFFERS: "对方存的围栏和发布的不一致",
}  # fmt: skip
"""The codes of what did not go through, in words."""


def queue_appointment(row: Appointment) -> OneMapPush:
    """Let 一张图 be told of an appointment as it is now, in place of what still waits to be told of it."""
    x, y = metres_of(row.geom.x, row.geom.y)
    what = {
        "number": row.number, "version": row.version, "state": row.state, "wanted_on": row.wanted_on.isoformat(),
        "x": x, "y": y, "uncertainty_m": row.uncertainty_m, "address": row.address_text, "site": row.site_name,
        "fence": str(row.fence or ""), "fence_name": row.fence_name, "changed_at": row.changed_at.isoformat(),
    }  # fmt: skip
    now = timezone.now()
    OneMapPush.objects.filter(appointment=row, state=PushState.WAITING).update(state=PushState.REPLACED, ended_at=now)
    made = OneMapPush.objects.create(appointment=row, region_id=row.region_id, what=what, next_at=now)
    OUTBOX.wake()
    return made


def queue_fences() -> int:
    """Let 一张图 be told of every edition of 片区 that counts now and that it was not told of; return how many.

    What still waits of an edition that counts no more is not told: it would take the place of the newer one.
    """
    made, standing = 0, list(editions_at(purpose=PURPOSE))
    over = OneMapPush.objects.filter(state=PushState.WAITING, edition__isnull=False).exclude(edition__in=standing)
    over.update(state=PushState.REPLACED, ended_at=timezone.now())
    for edition in standing:
        made += OneMapPush.objects.get_or_create(
            edition=edition, defaults={"region_id": edition.district_id, "next_at": timezone.now()}
        )[1]
    return made


def tell_one_map() -> int:
    """Tell what is due; return how many pieces were taken or given up. Nothing is tried while no back end is connected."""
    queue_fences()
    if not is_connected():
        return 0
    return OUTBOX.deliver()


@transaction.atomic
def send_again(*, pk: int, scope: Scope) -> None:
    """Let one piece be tried now; one given up has all its attempts again. Needs ``waste.edit``.

    Raises ``NotFound``, ``Conflict``.
    """
    check_duty(scope, EDIT)
    if not pushes_seen(scope=scope).filter(pk=pk).exists():
        raise NotFound("push_unknown", "没有找到这一条，或者它不在您的管辖范围内。")
    row = OneMapPush.objects.select_for_update().get(pk=pk)
    if row.state == PushState.REPLACED:
        raise Conflict("push_replaced", "这个预约后来又改过，会发送更新的那一条。")
    if row.state == PushState.SENT:
        raise Conflict("push_sent", "这一条已经发送成功，不用再发。")
    if row.state == PushState.WAITING:
        OneMapPush.objects.filter(pk=pk).update(next_at=timezone.now())
        OUTBOX.wake()
    else:
        OUTBOX.send_again(OneMapPush.objects.filter(pk=pk))


def _tell(row: OneMapPush) -> str:
    their = one_map(total_s=PUSH_S)
    if row.edition is None:
        return their.tell_appointment(AppointmentPushed(push_id=str(row.uid), **row.what))
    fences = fences_told(row.edition, push_id=str(row.uid))
    code = their.tell_fences(fences)
    return code if code != Code.TAKEN or _holds(their, fences) else DIFFERS


def _holds(their: OneMap, fences: FencesPushed) -> bool:
    """Say whether they hold the fences they were told, each as large as ours."""
    held = their.fences_held(purpose=fences.purpose, district=fences.district)
    theirs = {each.mark: each.area_m2 for each in held.fences}
    ours = {each.mark: each.area_m2 for each in fences.fences}
    same = theirs.keys() == ours.keys() and all(
        abs(theirs[mark] - area) <= 1 + AREA_SLACK * area for mark, area in ours.items()
    )
    return same and held.number == fences.number


def fences_told(edition: FenceEdition, *, push_id: str) -> FencesPushed:
    """Return an edition as 一张图 is told it: shapes in metres of 上海2000, to the millimetre."""
    district = RegionVersion.objects.get(edition=published_edition(), region=edition.district_id)
    assert edition.from_moment is not None
    told = []
    for fence in fences_of(edition):
        metres = to_plane(shapely.from_wkb(bytes(fence.geom.wkb)), current_city())
        drawn: dict[str, Any] = orjson.loads(shapely.to_geojson(shapely.set_precision(metres, 0.001)))
        told.append(
            FencePushed(
                mark=str(fence.same), name=fence.name, owner=fence.owner, area_m2=round(metres.area, 1), shape=drawn
            )
        )
    return FencesPushed(
        push_id=push_id, purpose=edition.purpose, district=district.code, number=edition.number,
        begins=edition.from_moment, fences=told,
    )  # fmt: skip


OUTBOX: Final = Outbox(OneMapPush, TELL_TASK, _tell, FINAL)
