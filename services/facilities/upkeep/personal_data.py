"""What upkeep keeps of an account: drafts of places that it has not submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.access.models import User
from services.access.personal.spec import PersonalPart
from services.facilities.upkeep.models import FacilityDraft


def drafts(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield the drafts of an account: what it typed of which place, and when."""
    for row in FacilityDraft.objects.filter(user=user).select_related("facility"):
        name = row.facility.name if row.facility else row.typed.get("name", "")
        yield {"机构": name, "最近修改": row.updated_at, "填写的内容": row.typed}


def forget_drafts(user: User) -> int:
    """Forget the drafts of an account."""
    return FacilityDraft.objects.filter(user=user).delete()[0]


PERSONAL_PARTS = (
    PersonalPart(
        "place-drafts", "机构维护草稿", f"{__name__}:drafts", f"{__name__}:forget_drafts",
        models=("facilities_upkeep.FacilityDraft",),
    ),
)  # fmt: skip
