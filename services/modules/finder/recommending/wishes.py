"""What a family states of itself for recommendations: for a child, and for an elder. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geo.errors import BadInput
from services.facilities.filters import DEAREST_YUAN
from services.facilities.kinds import kind_of

CHILD, ELDER = "child", "elder"
SIDES: Final[Mapping[str, tuple[str, ...]]] = {CHILD: ("childcare", "preschool"), ELDER: ("eldercare",)}
"""For whom places are recommended, with the groups of kinds they are of."""
SIDE_NAMES: Final[Mapping[str, str]] = {CHILD: "孩子", ELDER: "老人"}
OLDEST_MONTHS: Final = 84
"""Beyond it a child goes to school."""
_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Need:
    """Something a place may offer: by being of one of these kinds, or by saying a value of an attribute."""

    key: str
    label: str
    kinds: frozenset[str] = frozenset()
    attribute: str = ""
    value: str | bool = True


NEEDS: Final[Mapping[str, tuple[Need, ...]]] = {
    CHILD: (
        Need("full_day", "全日托", attribute="service_form", value="full_day"),
        Need("half_day", "半日托", attribute="service_form", value="half_day"),
        Need("hourly", "计时托", attribute="service_form", value="hourly"),
        Need("meals", "供餐", attribute="meals"),
        Need("inclusive", "普惠", attribute="inclusive"),
        Need("public", "公办", attribute="ownership", value="public"),
    ),
    ELDER: (
        Need("bed", "长期住", frozenset({"care_home", "elder_home"})),
        Need("day_care", "白天照护", frozenset({"day_care"})),
        Need("meals", "吃饭送餐", frozenset({"canteen"}), "delivers"),
        Need("memory_care", "认知症照护", attribute="memory_care"),
        Need("nursing", "上门护理", frozenset({"nursing_station"})),
        Need("company", "活动聊天", frozenset({"activity_room", "neighbour_point"})),
        Need("insurance", "可用医保", attribute="medical_insurance"),
        Need("step_free", "没有台阶", attribute="step_free"),
    ),
}
"""What may be needed, by for whom."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is stated for a child or an elder; nothing of it has to be.

    ``region`` is the code of the home's street or committee, never an address; ``born`` the child's month, as 2025-03; fees are
    yuan a month; ``needs`` keys of ``NEEDS``.
    """

    region: str = ""
    born: str = ""
    fee_least: int | None = None
    fee_most: int | None = None
    needs: tuple[str, ...] = ()

    def age_months(self, today: dt.date) -> int | None:
        """Return how many months old the child is, by its month alone."""
        if not self.born:
            return None
        year, month = map(int, self.born.split("-"))
        return 12 * (today.year - year) + today.month - month

    def as_data(self) -> dict[str, Any]:
        """Return what is stated as plain data, without what is not."""
        data = {"region": self.region, "born": self.born, "needs": list(self.needs)}
        fees = {"fee_least": self.fee_least, "fee_most": self.fee_most}
        return {key: value for key, value in data.items() if value} | {k: v for k, v in fees.items() if v is not None}


NOTHING_STATED: Final = Wishes()


def wishes_of(data: Any) -> Wishes:
    """Return what ``as_data`` gave; what has been withdrawn from the needs meanwhile is left out."""
    held = data if isinstance(data, dict) else {}
    known = {need.key for needs in NEEDS.values() for need in needs}
    return Wishes(
        region=str(held.get("region", "")),
        born=str(held.get("born", "")),
        fee_least=held.get("fee_least"),
        fee_most=held.get("fee_most"),
        needs=tuple(key for key in held.get("needs", ()) if key in known),
    )


def read_wishes(
    side: str, *, region: str, born: str, fee_least: str, fee_most: str, needs: Sequence[str], today: dt.date
) -> Wishes:
    """Return what was typed for one side; ``region`` has been chosen already. Raises ``BadInput`` naming the ``field``."""
    month = born.strip() if side == CHILD else ""
    found = Wishes(
        region=region,
        born=month,
        fee_least=_yuan(fee_least, "fee_least"),
        fee_most=_yuan(fee_most, "fee_most"),
        needs=tuple(need.key for need in NEEDS[side] if need.key in needs),
    )
    if month and not _MONTH.fullmatch(month):
        raise BadInput("born_invalid", "宝宝出生年月要写成 2025-03 的样子。", field="born")
    age = found.age_months(today)
    if age is not None and not 0 <= age <= OLDEST_MONTHS:
        raise BadInput("born_far", f"宝宝要已经出生、不超过 {OLDEST_MONTHS} 个月，请核对出生年月。", field="born")
    if None not in (found.fee_least, found.fee_most) and (found.fee_least or 0) > (found.fee_most or 0):
        raise BadInput("fees_crossed", "收费的下限比上限高，请核对。", field="fee_most")
    return found


def _yuan(said: str, field: str) -> int | None:
    text = said.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and int(text) <= DEAREST_YUAN):
        raise BadInput("fee_invalid", f"收费要填 0 到 {DEAREST_YUAN} 之间的整数，单位是元。", field=field)
    return int(text)


def side_of(kinds: Sequence[str]) -> str:
    """Return for whom kinds (keys) are recommended, '' where they are of no side or of several."""
    groups = {kind_of(key).group for key in kinds}
    return next((side for side, own in SIDES.items() if groups and groups <= set(own)), "")
