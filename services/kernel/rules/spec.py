"""What a package declares in its ``rules.py``: the facts a rule set may read and the results it gives. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from services.kernel.expressions import Kind

Hit = Literal["first", "collect"]

HIT_WORDS: Final[dict[Hit, str]] = {"first": "自上而下，用第一条符合的", "collect": "所有符合的都用"}
_KEY: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_PERSONAL: Final = re.compile(
    r"identity|id_?(number|card)|passport|phone|mobile|证件号|身份证|手机|电话|银行卡", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that rules read, or a result they give; ``choices`` are (key, label), ``whole`` says that a number has no fractions.

    Decisions are kept with their facts, so that drafts can be tried on them: what names a person may be no fact.
    """

    key: str
    label: str
    kind: Kind = "text"
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    whole: bool = False
    help: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"{self.key!r} is no key of a fact")
        if _PERSONAL.search(self.key) or _PERSONAL.search(self.label):
            raise ValueError(f"{self.key}: numbers of people are no facts of rules")
        if self.choices and self.kind not in ("text", "texts"):
            raise ValueError(f"{self.key}: only texts have choices")


@dataclass(frozen=True)
class RuleSetSpec:
    """A set of rules: its facts, its results, how many rows may decide, and the duty of those who may change it."""

    key: str
    title: str
    inputs: tuple[Fact, ...]
    outputs: tuple[Fact, ...]
    hit: Hit = "first"
    help: str = ""
    duty: str = "rules.edit"

    def __post_init__(self) -> None:
        keys = [fact.key for fact in (*self.inputs, *self.outputs)]
        if len(set(keys)) != len(keys) or not self.outputs or not self.inputs:
            raise ValueError(f"{self.key}: facts and results need keys of their own, and at least one of each")

    @cached_property
    def names(self) -> dict[str, Kind]:
        """The kinds of the facts that expressions may read."""
        return {fact.key: fact.kind for fact in self.inputs}

    @cached_property
    def labels(self) -> dict[str, str]:
        """What people call the facts and results."""
        return {fact.key: fact.label for fact in (*self.inputs, *self.outputs)}

    @cached_property
    def choices(self) -> dict[str, dict[str, str]]:
        """The labels of the choices, by fact."""
        return {fact.key: dict(fact.choices) for fact in (*self.inputs, *self.outputs) if fact.choices}

    def fact(self, key: str) -> Fact | None:
        """Return the fact that rules read under a key."""
        return next((fact for fact in self.inputs if fact.key == key), None)
