"""What a package declares of what it can count: frozen values in its ``map_facts.py``. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from geo.scope import Scope
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
    that list these rows only; in their values ``{first}`` and ``{last}`` are the days of the period. Where there are no rows,
    ``page`` is the address of one that tells more of a ``{region}`` (a code, '' for the city). A fact with a ``duty`` is counted
    only for who holds it, over the regions of their scope. ``families`` and ``touched`` say when older figures are stale,
    as those of ``LayerSpec`` do.

    A ratio is its figure divided by that of the fact ``over``, ``times`` a hundred or another number; it is told where both are.
    ``worked_out`` is for figures that are no sums of rows: asked with a level and a scope it returns them by path, ``None`` where
    the owner keeps one back. Both are by region only, and figures of regions do not add up to that of the larger.
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
    page: str = ""
    asks: tuple[tuple[str, str], ...] | Callable[[], tuple[tuple[str, str], ...]] = ()
    families: tuple[str, ...] = ()
    touched: str = ""
    source: str = ""
    over: FactSpec | None = None
    times: float = 1.0
    worked_out: Callable[[str, Scope], Mapping[str, float | None]] | None = None

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise ValueError(f"the fact {self.key} is of no known class: {self.category}")
        if bool(self.worked_out) == bool(self.table and self.region):
            raise ValueError(f"the fact {self.key} is counted in a table by region, or worked out")
        if not self.additive and self.cell:
            raise ValueError(f"the fact {self.key} is a ratio, which is by region only")
        if self.over is not None and (self.over.heads and not self.heads or self.over.moment and not self.moment):
            raise ValueError(
                f"the ratio {self.key} must be about persons and have time where what it is divided by does"
            )

    @property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters of the ledger's address, as they are now."""
        return self.asks() if callable(self.asks) else self.asks

    @property
    def additive(self) -> bool:
        """Say whether figures of regions add up to that of the larger one, so that shares and rates of them mean something."""
        return self.over is None and self.worked_out is None

    @property
    def public(self) -> bool:
        """Say whether everyone may see the figures of the fact."""
        return not self.duty and (self.over is None or self.over.public)
