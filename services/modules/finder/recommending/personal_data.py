"""What recommending keeps of an account, and the purpose it agrees to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from geo.addresses.gazetteer import names_of, published_now
from services.access.models import User
from services.access.personal.spec import PersonalPart, Purpose
from services.modules.finder.recommending.actions import forget_account
from services.modules.finder.recommending.models import Taste
from services.modules.finder.recommending.people import PURPOSE, TEXTS
from services.modules.finder.recommending.queries import account_person, stated, traces_of
from services.modules.finder.recommending.wishes import NEEDS, SIDE_NAMES


def kept(user: User) -> Iterator[Mapping[str, Any]]:
    """Yield what an account states, then what it was shown and did."""
    yield from _stated(user)
    person = account_person(user)
    if person is None:
        return
    for row in traces_of(person).select_related("place").iterator():
        yield {
            "时间（到小时）": row.hour,
            "记录": row.get_act_display(),
            "机构": row.place.name if row.place else "",
            "筛选条件": "、".join(row.filters),
            "看到的机构编号": "、".join(map(str, row.shown)),
        }


def _stated(user: User) -> Iterator[Mapping[str, Any]]:
    row = Taste.objects.filter(user=user).first()
    names = names_of(published_now()).by_code
    for side, wishes in (stated(row) if row else {}).items():
        home = names.get(wishes.region)
        yield {
            "为谁": SIDE_NAMES[side],
            "居住地": home.full_name if home else wishes.region,
            "出生年月": wishes.born,
            "每月收费": "–".join(str(one) if one is not None else "" for one in (wishes.fee_least, wishes.fee_most)),
            "需要": "、".join(need.label for need in NEEDS[side] if need.key in wishes.needs),
        }


def forget(user: User) -> int:
    """Forget all of it."""
    return forget_account(user)


PERSONAL_PARTS = (
    PersonalPart(
        "recommending", "为您推荐：填写的偏好和浏览记录", f"{__name__}:kept", f"{__name__}:forget",
        models=("finder_recommending.Taste", "finder_recommending.Trace"),
    ),
)  # fmt: skip
PURPOSES = (Purpose(PURPOSE, "为您推荐机构", TEXTS, f"{__name__}:forget"),)
