"""What a package declares of what it can count: frozen values in its ``map_facts.py``. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from layers.spec import CATEGORIES, Choice


@dataclass(frozen=True, slots=True)
class FactSpec:
    """Something that is counted by place, and mostly by time.

    ``table`` names a table or a constant subquery, read as ``t``. ``region`` is constant SQL giving the id of the region of a
    row, of any edition: figures are those of the regions of today. ``cell`` gives its H3 cell at resolution 10; a fact without
    one is counted by region only, one without a ``moment`` stands for what there is now. A row counts ``weight`` of the ``unit``.

    ``heads`` is a constant SQL aggregate that says how many persons a figure is about at most: figures of fewer than
    ``layers.disclosure.K`` are told nowhere, nor what gives them away. '' is for what is about nobody.

    A rate is the figure per 1,000 residents of the ages ``per``, both included; ``None`` is for all. What is ``more_is_worse`` is
    drawn in the ramp of gaps. ``ledger`` is the key of the ledger that lists the rows, ``asks`` the parameters of its address
    that list these rows only; in their values ``{first}`` and ``{last}`` are the days of the period. A fact with a ``duty`` is
    counted only for who holds it, over the regions of their scope. ``families`` and ``touched`` say when older figures are stale,
    as those of ``LayerSpec`` do.
    """

    key: str
    title: str
    summary: str
    unit: str
    category: str
    table: str
    region: str
    cell: str = ""
    moment: str = ""
    weight: str = "1"
    heads: str = ""
    per: tuple[int, int] | None = None
    more_is_worse: bool = False
    choices: tuple[Choice, ...] = ()
    duty: str = ""
    ledger: str = ""
    asks: tuple[tuple[str, str], ...] | Callable[[], tuple[tuple[str, str], ...]] = ()
    families: tuple[str, ...] = ()
    touched: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"the fact {self.key} is of no known class: {self.category}")

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters of the ledger's address, as they are now."""
        return self.asks() if callable(self.asks) else self.asks

    @property
    def public(self) -> bool:
        """Say whether everyone may see the figures of the fact."""
        return not self.duty
