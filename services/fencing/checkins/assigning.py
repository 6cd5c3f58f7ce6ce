"""Writes of visits: arranged one by one or from a list, taken back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone

from geo.addresses.placing import located
from geo.errors import BadInput, CityError, Conflict
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.identifiers import new_id
from services.fencing.checkins.duties import ASSIGN
from services.fencing.checkins.models import Visit, VisitState, day_of
from services.fencing.checkins.queries import organisations_assigning, visit_arranged, workers_of
from services.fencing.checkins.registry import visit_kind, visit_kinds
from services.fencing.checkins.sealing import Home, sealed_home
from services.fencing.live import live_fences

LONGEST_VISIT: Final = dt.timedelta(hours=12)
FARTHEST: Final = dt.timedelta(days=92)
MOST_ROWS: Final = 500
MOST_BYTES: Final = 500_000
PHONE: Final = re.compile(r"[0-9+\- ]{7,20}")
COLUMNS: Final = {
    "kind": "服务类型", "worker": "服务人员账号", "name": "老人姓名", "phone": "联系电话", "address": "服务地址",
    "day": "日期", "begins": "开始", "ends": "结束", "note": "备注", "external": "外部编号",
}  # fmt: skip
NEEDED: Final = ("kind", "worker", "name", "address", "day", "begins", "ends")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A visit to arrange, as it was typed; ``fence`` names an area of the live fences in place of the door."""

    kind: str
    worker: str
    name: str
    address: str
    begins: dt.datetime | None
    ends: dt.datetime | None
    phone: str = ""
    note: str = ""
    external: str = ""
    fence: UUID | None = None


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a line of a list."""

    line: int
    words: str


def assign_visit(*, organisation: int, wanted: Wanted, key: UUID, scope: Scope) -> Visit:
    """Arrange a visit for an organisation of the scope; the same key again returns the same visit.

    Raises ``BadInput`` with the field that is wrong, ``Conflict`` where the worker is elsewhere then.
    """
    check_duty(scope, ASSIGN)
    before = Visit.objects.filter(key=key, organisation__in=scope.organisations).first()
    if before is not None:
        return before
    if organisation not in {each.pk for each in organisations_assigning(scope=scope)}:
        raise BadInput("organisation_unknown", "请选您自己的服务单位。", field="organisation")
    spec, worker = visit_kind(wanted.kind), _worker(wanted.worker, organisation)
    begins, ends = _window(wanted)
    uid = new_id()
    home, region, tolerance = _home(wanted, float(spec.tolerance_m), scope)
    try:
        with transaction.atomic(), pghistory.context(actor=scope.actor):
            User.objects.select_for_update().get(pk=worker.pk)
            _check_free(worker, begins, ends)
            return Visit.objects.create(
                uid=uid, number=_number(begins), key=key, kind=spec.key, organisation_id=organisation, region_id=region,
                worker=worker, from_at=begins, to_at=ends, details=sealed_home(home, owner=uid),
                tolerance_m=round(tolerance), fence=wanted.fence, external=_short(wanted.external, 60),
                made_by=scope.actor, changed_by=scope.actor,
            )  # fmt: skip
    except IntegrityError as twice:
        raise Conflict("visit_twice", "这个外部编号已经安排过了，请核对。", field="external") from twice


def cancel_visit(*, number: str, why: str, seen: int, scope: Scope) -> Visit:
    """Take a visit back that nobody confirmed yet. Raises ``Conflict`` where it changed since ``seen`` or is under way."""
    check_duty(scope, ASSIGN)
    if not why.strip():
        raise BadInput("why_missing", "请写一句取消的原因，服务人员会看到。", field="why")
    with transaction.atomic(), pghistory.context(actor=scope.actor):
        found = visit_arranged(number, scope=scope)
        row = Visit.objects.select_for_update().get(pk=found.pk, organisation__in=scope.organisations)
        if row.state == VisitState.CANCELLED:
            return row
        if row.revision != seen or row.state != VisitState.PLANNED:
            raise Conflict("visit_changed", "这次上门刚刚有变化（可能已经签到）。请看过现在的情况再决定。")
        row.state, row.cancelled_why = VisitState.CANCELLED, why.strip()[:200]
        row.revision, row.changed_by = row.revision + 1, scope.actor
        row.save()
    return row


def assign_list(*, organisation: int, content: bytes, key: UUID, scope: Scope) -> tuple[list[Visit], list[RowFault]]:
    """Arrange all visits of a list (CSV, UTF-8 or GB18030) or none, and return them with what is wrong. Nothing of it is kept.

    The same key again returns the same visits. Raises ``BadInput`` for a list that cannot be read.
    """
    check_duty(scope, ASSIGN)
    made: list[Visit] = []
    faults: list[RowFault] = []
    rows = list(_rows(content))
    with transaction.atomic():
        for line, row in rows:
            try:
                wanted = wanted_from(row)
                made.append(
                    assign_visit(organisation=organisation, wanted=wanted, key=_line_key(key, line), scope=scope)
                )
            except CityError as fault:
                faults.append(RowFault(line, fault.message))
        if faults:
            transaction.set_rollback(True)
    return ([], faults) if faults else (made, [])


def template_csv() -> bytes:
    """Return an empty list with its heads and one example, as spreadsheet programs open it."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(COLUMNS.values())
    kind = next(iter(visit_kinds().values()))
    write.writerow(
        [
            kind.title,
            "zhangsan",
            "李阿婆",
            "13800000000",
            "黄浦区艾家弄86号",
            "2026-12-01",
            "09:00",
            "10:30",
            "三楼，门铃坏了请敲门",
            "",
        ]
    )
    return "\ufeff".encode() + out.getvalue().encode()


def wanted_from(row: Mapping[str, str]) -> Wanted:
    """Return a visit as a line of a list or a form says it. Raises ``BadInput`` for what is missing or no day or hour."""
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in NEEDED:
        if not said[name]:
            raise BadInput("field_missing", f"请填“{COLUMNS[name]}”。", field=name)
    kinds = {kind.title: kind.key for kind in visit_kinds().values()}
    begins, ends = _moment(said["day"], said["begins"], "begins"), _moment(said["day"], said["ends"], "ends")
    return Wanted(
        kinds.get(said["kind"], said["kind"]), said["worker"], said["name"], said["address"], begins, ends, said["phone"],
        said["note"], said["external"],
    )  # fmt: skip


def _rows(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a list with their numbers, by field."""
    if len(content) > MOST_BYTES:
        raise BadInput("list_too_large", f"名单太大，一次最多 {MOST_ROWS} 行，请分几次上传。", field="list")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    lines = list(csv.reader(io.StringIO(text.replace("\x00", ""))))
    heads = [head.strip() for head in lines[0]] if lines else []
    if missing := [label for name, label in COLUMNS.items() if name in NEEDED and label not in heads]:
        raise BadInput("heads_missing", f"名单缺少“{'、'.join(missing)}”这几列。请下载模板，按模板填写。", field="list")
    names = {label: name for name, label in COLUMNS.items()}
    body = [(number, cells) for number, cells in enumerate(lines[1:], start=2) if any(cell.strip() for cell in cells)]
    if not body or len(body) > MOST_ROWS:
        raise BadInput("list_rows", f"名单里要有 1 到 {MOST_ROWS} 行，现在有 {len(body)} 行。", field="list")
    for number, cells in body:
        yield number, {names[head]: cell for head, cell in zip(heads, cells, strict=False) if head in names}


def _home(wanted: Wanted, tolerance: float, scope: Scope) -> tuple[Home, int | None, float]:
    """Return the home, its region, and how far from it counts: no less than how well its place is known."""
    name, address = _short(wanted.name, 60), _short(wanted.address, 200)
    if not name or not address:
        raise BadInput("home_missing", "请填老人姓名和服务地址。", field="name" if not name else "address")
    if wanted.phone and not PHONE.fullmatch(wanted.phone.strip()):
        raise BadInput("phone_odd", "联系电话只能有数字、空格和“-”，例如 13800000000。", field="phone")
    try:
        place = located(address, scope=scope)
    except BadInput as fault:
        raise BadInput("address_unknown", fault.message, field="address") from fault
    if wanted.fence is not None:
        if wanted.fence not in {fence.same for fence in live_fences().fences}:
            raise BadInput("fence_unknown", "没有找到这片围栏，请换一片已发布的。", field="fence")
        tolerance = 0.0
    point = place["geom"]
    home = Home(name, wanted.phone.strip(), address, point.x, point.y, _short(wanted.note, 200))
    return home, place["region_id"], max(tolerance, place["uncertainty_m"]) if wanted.fence is None else tolerance


def _worker(username: str, organisation: int) -> User:
    found = next((user for user in workers_of(organisation) if user.username == username.strip()), None)
    if found is None:
        raise BadInput(
            "worker_unknown", f"“{username[:40]}”不是本单位的上门服务人员。请在“账号和权限”里核对。", field="worker"
        )
    return found


def _window(wanted: Wanted) -> tuple[dt.datetime, dt.datetime]:
    begins, ends, now = wanted.begins, wanted.ends, timezone.now()
    if begins is None or ends is None:
        raise BadInput("moment_missing", "请填日期和起止时间。", field="day")
    if not dt.timedelta() < ends - begins <= LONGEST_VISIT:
        raise BadInput("window_odd", "结束要晚于开始，一次上门不超过 12 小时。", field="ends")
    if ends < now or begins > now + FARTHEST:
        raise BadInput("day_odd", "只能安排现在到三个月以内的上门。", field="day")
    return begins, ends


def _check_free(worker: User, begins: dt.datetime, ends: dt.datetime) -> None:
    other = Visit.objects.filter(worker=worker, from_at__lt=ends, to_at__gt=begins).exclude(state=VisitState.CANCELLED)
    if (found := other.order_by("from_at").first()) is not None:
        at = timezone.localtime(found.from_at)
        raise Conflict(
            "worker_busy", f"{worker} 在 {at:%m-%d %H:%M} 已经有一次上门，时间重叠，请换人或换时间。", field="begins"
        )


def _moment(day: str, hour: str, name: str) -> dt.datetime:
    try:
        return timezone.make_aware(
            dt.datetime.combine(dt.date.fromisoformat(day), dt.time.fromisoformat(hour.zfill(5)))
        )
    except ValueError:
        raise BadInput("moment_odd", "日期写成 2026-12-01，时间写成 09:30。", field=name) from None


def _line_key(key: UUID, line: int) -> UUID:
    return UUID(int=key.int ^ line)


def _number(begins: dt.datetime) -> str:
    return f"{day_of(timezone.localtime(begins))}-{secrets.token_hex(4).upper()}"


def _short(text: str, most: int) -> str:
    return text.strip()[:most]
