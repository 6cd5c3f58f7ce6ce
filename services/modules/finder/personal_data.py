"""What the finder keeps of an account: the places it marked with their notes, and what it reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.crypto.actions import drop_secrets
from services.modules.finder.models import Favourite, PlaceReport
from services.modules.finder.queries import notes_of


def favourites(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the places an account marked, with its notes."""
    notes = notes_of(user)
    for row in Favourite.objects.filter(user=user).select_related("facility"):
        yield {"机构": row.facility.name, "收藏时间": row.added_at, "备注": notes.get(row.facility_id, "")}


@transaction.atomic
def forget_favourites(user: User) -> int:
    """Forget the marks and the notes."""
    rows = list(Favourite.objects.filter(user=user))
    for row in rows:
        drop_secrets(owner=row.uid)
        row.delete()
    return len(rows)


def reports(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account reported of places, and the answers."""
    for row in PlaceReport.objects.filter(reporter=user).select_related("facility").order_by("pk"):
        yield {
            "时间": row.created_at,
            "机构": row.facility.name,
            "哪里不对": row.get_what_display(),
            "说明": row.text,
            "状态": row.get_state_display(),
            "答复": row.answer,
        }


@transaction.atomic
def forget_reporter(user: User) -> int:
    """Forget who reported: the report of the place stays, without account and number."""
    rows = list(PlaceReport.objects.filter(reporter=user))
    for row in rows:
        drop_secrets(owner=row.uid)
        row.reporter, row.phone = None, ""
        row.save(update_fields=["reporter", "phone"])
    return len(rows)


PERSONAL_PARTS = (
    PersonalPart(
        "favourites", "收藏的机构", f"{__name__}:favourites", f"{__name__}:forget_favourites", models=("finder.Favourite",),
    ),
    PersonalPart(
        "place-reports", "机构纠错报告", f"{__name__}:reports", f"{__name__}:forget_reporter",
        kept="报告本身（哪家机构哪里不对）留给机构资料用，不再带您的账号和手机号。",
        models=("finder.PlaceReport",),
    ),
)  # fmt: skip
