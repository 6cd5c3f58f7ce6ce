"""What a family of rows must bring to be importable, and the register of those that do.

A family's importer lives in the ``importing.py`` of the app that owns its tables and registers itself; the framework reads
files, converts datums, writes drafts, makes the report and opens the one transaction in which everything is published.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, System
from geo.imports.models import Correction, DraftRow, Family, ImportRun, Source
from geo.imports.purging import Purged
from geo.imports.rows import Draft, RawRow
from geo.scope import Scope

IMPORT_ORDER: Final[tuple[Family, ...]] = (
    Family.REGIONS,
    Family.ROADS,
    Family.BASEMAP,
    Family.COMMUNITIES,
    Family.ADDRESSES,
    Family.FACILITIES,
    Family.POPULATION,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What publishing a run changed among the rows of its source."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


@dataclass(slots=True)
class Act:
    """The publishing of one run inside the one transaction: what it belongs to, what it may see, and what it has to say.

    An importer may ``refuse`` a draft whose fault shows only now (no position found, parent not published).
    """

    run: ImportRun
    at: datetime.datetime
    scope: Scope
    warnings: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[DraftRow, str, str]] = field(default_factory=list)
    corrected: int = 0
    """How many fields of drafts carry a human correction."""

    @property
    def source(self) -> Source:
        """Return the source being published."""
        return self.run.source

    def warn(self, code: str, times: int = 1) -> None:
        """Count a warning of ``reasons.WARNINGS``."""
        if times:
            self.warnings[code] = self.warnings.get(code, 0) + times

    def refuse(self, drafts: DraftRow | Sequence[DraftRow], code: str, column: str = "") -> None:
        """Take drafts out of the run for a reason of ``reasons.ROW_REASONS``."""
        drafts = [drafts] if isinstance(drafts, DraftRow) else drafts
        self.refused += [(draft, code, column) for draft in drafts]
        DraftRow.objects.filter(pk__in=[draft.pk for draft in drafts]).delete()


class FamilyImporter(ABC):
    """Turns raw rows of one family into drafts, and drafts into published rows.

    ``fields`` are the names a declaration may fill and ``normalise`` may read; corrections name the same fields.
    ``needs_point`` says that a row is a point: the framework then refuses rows outside the city.
    """

    family: ClassVar[Family]
    fields: ClassVar[tuple[str, ...]]
    needs_point: ClassVar[bool] = False
    cells: ClassVar[bool] = False
    """Whether drafts of the family carry the H3 cell of their point."""
    correctable: ClassVar[tuple[str, ...]] = ()
    """Entries of a payload that people may correct besides ``fields``."""
    grows: ClassVar[bool] = False
    """Whether people may add rows of their own to a source (corrections named ``added``)."""
    leaving: ClassVar[tuple[str, ...]] = ()
    """Corrections that take a row out of its source, whatever the source goes on saying: it is retired."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Corrections that hang something on a row and leave it as it is; ``settle`` replays them and reports the lost ones."""

    @abstractmethod
    def normalise(self, row: RawRow) -> Draft:
        """Return the draft of a row, or raise ``RowRefused`` (see ``RawRow.refuse``). Pure: it must not read the database."""

    def derive(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the payload with the fields that follow from others (search pieces); called again after a correction."""
        return payload

    def read(self, act: Act) -> None:  # noqa: B027 (most families are read row by row)
        """Complete the drafts inside the transaction before corrections are put over them."""

    def caught_up(self, act: Act, added: Sequence[Correction]) -> frozenset[str]:
        """Return the ext_ids of those rows added by people that the source, by its drafts, brings by itself now."""
        return frozenset()

    def corrected(self, payload: dict[str, Any], days: Mapping[str, datetime.date]) -> dict[str, Any]:
        """Return the payload of a row that people corrected, with what follows from when they did: the day of each field."""
        return payload

    def prepare(self, act: Act) -> None:  # noqa: B027 (most families have nothing to complete)
        """Complete the drafts inside the transaction, before they are compared: find positions, regions, parents."""

    @abstractmethod
    def publish(self, act: Act) -> Counts:
        """Merge the run's drafts into the family's tables inside the transaction and say what changed.

        Rows of the source that the drafts no longer hold are retired, never deleted. Publishing the same drafts twice must
        report 0 added, 0 changed, 0 removed.
        """

    def settle(self, act: Act) -> None:  # noqa: B027 (most families have nothing to bring along)
        """Bring along, still inside the transaction, what is made of the family's rows; its source counts as published now."""

    @abstractmethod
    def current_rows(self, source: Source) -> int:
        """Return how many rows of a source are current."""

    @abstractmethod
    def missing_rows(self, act: Act) -> int:
        """Return how many current rows of the source its drafts no longer hold: the deletion guard asks before publishing."""

    @abstractmethod
    def retire_invented(self, *, area_code: str, at: datetime.datetime) -> int:
        """Retire the current invented rows of the family in an area ('' is the whole city) and return how many they were."""

    @abstractmethod
    def purge_invented(self) -> Purged:
        """Delete the retired invented rows of the family that nothing refers to, inside a transaction, and count them."""

    def namesakes(self, names: Sequence[str], *, besides: Source) -> Mapping[str, Sequence[BaseGeometry]]:
        """Return current rows of other sources by name, in CGCS2000 degrees: the wrong-datum detector measures against them."""
        return {}

    def areas(self, names: Sequence[str]) -> Mapping[str, BaseGeometry]:
        """Return the published shapes of regions by name; only the regions family has any."""
        return {}

    def network(self, *, provenance: str) -> Coordinates:
        """Return points some 30 m apart along the published rows that other points should hug; only roads have any."""
        return Coordinates(np.empty(0), np.empty(0), System.CGCS2000)

    def kinds(self, payload: Mapping[str, Any]) -> str:
        """Return under which heading of the report's totals a draft is counted."""
        return str(payload.get("kind") or self.family.label)


_IMPORTERS: dict[str, FamilyImporter] = {}
Importer = TypeVar("Importer", bound=type[FamilyImporter])


def importer(cls: Importer) -> Importer:
    """Register the importer class of a family; two classes for one family are a programming error."""
    known = _IMPORTERS.setdefault(cls.family, cls())
    if type(known) is not cls:
        raise ValueError(f"two importers claim the family {cls.family}")
    return cls


def importer_of(family: str) -> FamilyImporter:
    """Return the importer of a family; ``KeyError`` when no installed app brings one."""
    return _IMPORTERS[family]


def importers() -> Mapping[str, FamilyImporter]:
    """Return every registered importer by family."""
    return dict(_IMPORTERS)


Conclusion = Callable[[], str]
_CONCLUSIONS: list[Conclusion] = []


def concludes(conclusion: Conclusion) -> Conclusion:
    """Register what belongs to every act that publishes: it is called inside the act, after all families.

    It returns a Chinese sentence for the report, '' when it had nothing to do. It is rehearsed too, so whatever it does must
    be undone by a rollback.
    """
    _CONCLUSIONS.append(conclusion)
    return conclusion


def conclude() -> list[str]:
    """Call every conclusion inside the act, and return what they have to say."""
    return [said for said in (conclusion() for conclusion in _CONCLUSIONS) if said]


Follower = Callable[[frozenset[str]], None]
_FOLLOWERS: list[tuple[frozenset[str], Follower]] = []


def follows(*families: Family) -> Callable[[Follower], Follower]:
    """Register what must happen after rows of these families were published: it is called once per act, after the commit."""

    def register(follower: Follower) -> Follower:
        _FOLLOWERS.append((frozenset(families), follower))
        return follower

    return register


def tell_followers(families: frozenset[str]) -> None:
    """Call everyone who follows one of the families."""
    for wanted, follower in _FOLLOWERS:
        if wanted & families:
            follower(families)
