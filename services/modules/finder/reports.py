"""Writes of reports: somebody says what is wrong with a place, staff look at it, set it right or not, and answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from geo.calendars.queries import working_days
from geo.errors import BadInput, Conflict, TooLarge
from geo.scope import Scope
from services.access.models import User
from services.access.queries import check_duty
from services.crypto.actions import drop_secrets, keep_secrets
from services.crypto.masking import mask_phone, mask_text
from services.crypto.queries import reveal_secrets
from services.facilities.models import Facility
from services.facilities.queries import city_now, facility_detail
from services.kernel.documents.actions import attach_file
from services.kernel.messages.actions import send_message
from services.kernel.messages.phones import normal_phone
from services.modules.finder.documents import KIND, PHOTO
from services.modules.finder.message_events import ANSWERED
from services.modules.finder.models import PlaceReport, ReportState
from services.modules.finder.queries import report_seen, waiting_at
from services.modules.finder.words import MOST_WORDS, WRONG

ANSWER_DAYS: Final = 5
"""Within so many working days a report is answered."""
ENDS: Final = (ReportState.CORRECTED, ReportState.UNCONFIRMED, ReportState.DUPLICATE)
STEPS: Final = {
    ReportState.NEW: (ReportState.SEEN, *ENDS),
    ReportState.SEEN: ENDS,
    ReportState.CORRECTED: (ReportState.SEEN,),
    ReportState.UNCONFIRMED: (ReportState.SEEN,),
    ReportState.DUPLICATE: (ReportState.SEEN,),
}
"""From which state to which: what was answered can be looked at again."""


@transaction.atomic
def report_place(
    *,
    mark: UUID,
    place_id: int,
    what: str,
    text: str,
    scope: Scope,
    phone: str = "",
    user: User | None = None,
    photo: tuple[Path, str] | None = None,
) -> PlaceReport:
    """Keep what somebody says is wrong with a place, and return it; the same ``mark`` again returns what is kept already.

    ``photo`` is a file with its name, ``phone`` a mobile number for the answer: it is sealed, and forgotten once answered.
    Numbers of people inside ``text`` are masked. Raises ``NotFound``, ``BadInput``, ``TooLarge``.
    """
    if (known := PlaceReport.objects.filter(mark=mark).first()) is not None:
        return known
    facility_detail(place_id, scope=scope)
    words = mask_text(" ".join(text.split()))
    if what not in dict(WRONG):
        raise BadInput("report_what", "请选哪里不对。", field="what")
    if len(words) > MOST_WORDS:
        raise TooLarge("report_too_long", f"说明最多 {MOST_WORDS} 个字，请写短一点。", field="text")
    if what == "other" and not words:
        raise BadInput("report_empty", "选了“其他”，请写一句哪里不对。", field="text")
    number = normal_phone(phone) if phone.strip() else ""
    row = PlaceReport.objects.create(
        mark=mark,
        facility_id=place_id,
        region_id=Facility.objects.values_list("region_id", flat=True).get(pk=place_id),
        what=what,
        text=words,
        phone=mask_phone(number) if number else "",
        reporter=user,
        due_on=working_days().add(city_now().date(), ANSWER_DAYS),
    )
    if number:
        keep_secrets(owner=row.uid, values={"phone": number}, found_by={"phone": ""})
    if photo is not None:
        ours = Scope.system("the photo that came with a report")
        attach_file(kind=KIND, owner_id=str(row.pk), purpose=PHOTO, source=photo[0], name=photo[1], scope=ours)
    return row


@transaction.atomic
def settle_report(
    *, pk: int, seen: str, state: str, answer: str, scope: Scope, together: bool = False
) -> list[PlaceReport]:
    """Move a report to another state, ``together`` with all others of its place that wait, and return them.

    ``seen`` is the state that the caller saw. An end needs an ``answer``, which is sent to who reported. Needs
    ``facilities.edit``. Raises ``NotFound``, ``BadInput``, and ``Conflict`` when somebody was quicker.
    """
    check_duty(scope, "facilities.edit")
    first = report_seen(pk, scope=scope)
    # Held by its place: two clerks who settle one place together do not pass each other.
    Facility.objects.select_for_update().get(pk=first.facility_id)
    first.refresh_from_db()
    if first.state != seen:
        raise Conflict("report_changed", f"别人刚处理过，现在是“{first.get_state_display()}”。请看过以后再决定。")
    if state not in STEPS[ReportState(first.state)]:
        raise BadInput("report_step", "不能这样改状态，请刷新页面再选。", field="state")
    said = " ".join(answer.split())
    if len(said) > MOST_WORDS:
        raise TooLarge("report_too_long", f"答复最多 {MOST_WORDS} 个字，请写短一点。", field="answer")
    if state in ENDS and not said:
        raise BadInput("answer_empty", "请写一句答复，报告人会看到。", field="answer")
    others = waiting_at(first.facility_id, scope=scope).exclude(pk=first.pk) if together and state in ENDS else ()
    rows = [first, *others]
    for row in rows:
        _settle(row, ReportState(state), said if state in ENDS else row.answer, scope)
    return rows


def _settle(row: PlaceReport, state: ReportState, answer: str, scope: Scope) -> None:
    row.state, row.answer = state, answer
    row.handled_by, row.handled_at = scope.actor, timezone.now()
    row.save(update_fields=["state", "answer", "handled_by", "handled_at"])
    if state in ENDS:
        _tell(row)


def _tell(row: PlaceReport) -> None:
    """Send the answer to who reported, and forget the number."""
    phone = reveal_secrets(owner=row.uid, fields=["phone"]).get("phone", "")
    users = [row.reporter] if row.reporter is not None else []
    if row.region_id is not None and (phone or users):
        send_message(
            event=ANSWERED,
            key=f"place-report:{row.pk}:{row.handled_at:%Y%m%d%H%M%S%f}",
            region_id=row.region_id,
            values={
                "机构": row.facility.name,
                "哪里不对": row.get_what_display(),
                "结果": row.get_state_display(),
                "答复": row.answer,
            },
            users=users,
            phones=[phone] if phone else [],
            link=f"/places/{row.facility_id}",
        )
    drop_secrets(owner=row.uid)
