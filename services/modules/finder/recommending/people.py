"""Somebody who agreed to recommendations: an account, or a device whose cookie holds what is stated. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.modules.finder.recommending.wishes import NOTHING_STATED, Wishes

PURPOSE: Final = "recommendation"
TEXTS: Final = (
    "您同意后，我们记下您在圈图里看到和点开了哪些机构、收藏、打电话、导航和用过的筛选条件，加上您在这里填的内容，"
    "用来估计哪些机构适合您家，排在前面。不记您的位置和地址，不用于别的，不给别人；记录用代号保存，90 天后自动删除。"
    "不同意不影响查找机构。随时可以关闭，关闭后为此保存的内容立即删除。",
)
"""What people agree to, in versions; a new one is asked for anew."""
VERSION: Final = len(TEXTS)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who agreed: ``who`` marks new traces, ``known_as`` all that may be there; what is stated by side.

    ``consent`` is the row by which an account agreed, absent for a device.
    """

    who: str
    known_as: tuple[str, ...]
    consent: int | None = None
    wishes: Mapping[str, Wishes] = field(default_factory=dict)
    revision: int = 0

    def wishes_for(self, side: str) -> Wishes:
        """Return what is stated for a side."""
        return self.wishes.get(side, NOTHING_STATED)
