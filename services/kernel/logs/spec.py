"""What an app declares in its ``logged.py``: where its lines stand, what they are called, and what may be rolled back. Pure.

Expressions are SQL over the row ``s``; they are written by us, never typed by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Kept = Literal["audit", "business", "access", "machine"]
Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Retention:
    """A class of lines: what it is called, and for how many months after theirs its lines are kept."""

    name: str
    months: int


RETENTION: Final[Mapping[Kept, Retention]] = MappingProxyType(
    {
        "audit": Retention("审计", 60),
        "business": Retention("业务", 36),
        "access": Retention("访问和接口", 12),
        "machine": Retention("系统运行", 6),
    }
)
"""How long lines are kept; the law asks for six months at least."""
OUTCOMES: Final[Mapping[Outcome, str]] = MappingProxyType({"done": "成功", "refused": "被拒绝", "failed": "失败"})
CHANNELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "page": "页面",
        "api": "接口",
        "client": "接入平台",
        "task": "后台任务",
        "upstream": "外部系统",
        "machine": "服务器",
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is only added to, with a rising whole number as key: what its rows say in the shape of a line.

    ``acts`` are the words of everything ``act`` may be. Words that ``act`` does not name are written as they are.
    """

    key: str
    title: str
    model: str
    kept: Kept
    acts: Mapping[str, str]
    act: str
    at: str = "s.at"
    actor: str = "''"
    account: str = "NULL"
    object_kind: str = "''"
    object_id: str = "''"
    object_name: str = "''"
    region: str = "NULL"
    organisation: str = "NULL"
    channel: str = "'page'"
    request: str = "''"
    outcome: str = "'done'"
    ms: str = "NULL"
    address: str = "NULL"
    detail: str = "NULL"
    joins: str = ""


@dataclass(frozen=True, slots=True)
class Rollback:
    """How an object returns to what it was, by its owner's own action.

    ``restore`` names ``"package.module:function"``, called with ``pk`` (text), ``before`` and ``after`` (the changed fields as
    JSON has them), ``scope`` and ``reason``; it raises named errors. ``duty`` is the owner's own. ``checks`` names a function of
    ``pk``, ``before`` and ``after`` that returns sentences about what stands in the way or should be known. ``alone`` says that
    one person suffices, ``False`` that a second one has to agree.
    """

    restore: str
    duty: str
    checks: str = ""
    alone: bool = True
    what: str = ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table whose rows change: what a row is called, which columns count, and how a change of them is undone.

    ``fields`` are the columns whose values are kept before and after; none of them may be a secret. ``history`` says that
    pghistory keeps the rows as they were; without it a trigger notes the columns. ``state`` is a column whose new values are
    acts of their own, ``states`` their words, ``failing`` those that are failures. ``page`` leads to an object.
    ``values`` are words for values of columns whose field of the model has no choices; those of choices are known.
    """

    kind: str
    title: str
    model: str
    fields: Mapping[str, str]
    kept: Kept = "business"
    name: str = ""
    region: str = ""
    organisation: str = ""
    actor: str = ""
    request: str = ""
    state: str = ""
    states: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    failing: tuple[str, ...] = ()
    acts: tuple[str, ...] = ("created", "changed", "deleted")
    channel: str = "page"
    history: bool = False
    page: str = ""
    rollback: Rollback | None = None
    pages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    values: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    instead: str = ""

    @property
    def words(self) -> dict[str, str]:
        """Return every act on the table with its words."""
        verbs = {"created": "新建", "changed": "修改", "deleted": "删除"}
        return {f"{self.kind}.{act}": f"{verbs[act]}{self.title}" for act in verbs} | {
            f"{self.kind}.{value}": word for value, word in self.states.items()
        }
