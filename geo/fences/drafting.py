"""The frame of every act on a draft: who saw what, done once, kept with what it changed, and taken back where that still fits.

What an act changes is told under keys: ``area:<same>``, whatever else the draft holds in the same way, and ``edition`` for
the draft itself; each with what it said before and after, ``None`` where it was not there. Writing goes through ``put`` alone,
so undoing writes exactly what an act may write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import models, transaction
from django.db.models import Q

from geo.crs.codes import CGCS2000
from geo.errors import Conflict
from geo.fences.drafts import EditionState
from geo.fences.signals import draft_changed
from geo.scope import Scope

EDITION: Final = "edition"
_ASKED_ONE_BY_ONE: Final = 400
"""An act on more rows than this asks that nobody else saved anything since it was seen."""
_AT_ONCE: Final = 2_000

Told = dict[str, Any]
Wanted = tuple[str, Mapping[str, Told | None]]
E = TypeVar("E", bound=models.Model)
C = TypeVar("C", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a draft holds: ``name`` begins their keys, ``model`` has ``edition`` and ``same``, ``fields`` are what they say.

    With ``drawn`` they also say their shape, and count their own revisions.
    """

    name: str
    model: type[models.Model]
    fields: Sequence[str]
    drawn: bool = False

    def told(self, row: Any) -> Told:
        """Return what a row says, its shape as hexadecimal WKB in CGCS2000."""
        said = {name: _plain(getattr(row, name)) for name in self.fields}
        return said | {"geom": row.geom.hex.decode()} if self.drawn else said

    def key(self, same: object) -> str:
        """Return the key of a row."""
        return f"{self.name}:{same}"

    def sames(self, keys: Iterable[str]) -> list[UUID]:
        """Return the identities among keys that are of these rows."""
        begin = f"{self.name}:"
        return [UUID(key.removeprefix(begin)) for key in keys if key.startswith(begin)]

    def said_now(self, edition: models.Model, keys: Iterable[str]) -> dict[str, Told]:
        """Return what those of the keys say that are there."""
        return {self.key(row.same): self.told(row) for row in self._among(edition, self.sames(keys))}

    def put(self, edition: models.Model, wanted: Mapping[str, Told | None]) -> None:
        """Let rows say what is wanted; ``None`` takes a row away."""
        there = {row.same: row for row in self._among(edition, self.sames(wanted))}
        gone = [same for same in there if wanted[self.key(same)] is None]
        if gone:
            self._all().filter(edition=edition, same__in=gone).delete()
        changed: list[Any] = []
        added: list[Any] = []
        for same in self.sames(wanted):
            told = wanted[self.key(same)]
            if told is not None:
                row = there.get(same)
                (changed if row else added).append(self._saying(row or self.model(edition=edition, same=same), told))
        fields = [*self.fields, "geom", "revision"] if self.drawn else list(self.fields)
        self._all().bulk_update(changed, fields, batch_size=_AT_ONCE)
        self._all().bulk_create(added, batch_size=_AT_ONCE)

    def copy(self, source: models.Model, draft: models.Model) -> None:
        """Give a draft the rows of another edition."""
        rows: list[Any] = list(self._all().filter(edition=source))
        for row in rows:
            row.pk, row.edition, row._state.adding = None, draft, True
        self._all().bulk_create(rows, batch_size=_AT_ONCE)

    def _saying(self, row: Any, told: Told) -> Any:
        for name in self.fields:
            setattr(row, name, told[name])
        if self.drawn:
            row.geom = cast(MultiPolygon, GEOSGeometry(told["geom"], srid=CGCS2000))
            row.revision += 0 if row._state.adding else 1
        return row

    def _among(self, edition: models.Model, sames: list[UUID]) -> list[Any]:
        return list(self._all().filter(edition=edition, same__in=sames)) if sames else []

    def _all(self) -> Any:
        return self.model._default_manager


@dataclass(frozen=True, slots=True)
class Drafting(Generic[E, C]):
    """How drafts of one kind are changed: the model of their changes, what they hold, and what they say of themselves.

    ``locked`` returns a draft of the scope, locked, and raises ``Conflict`` for what is published.
    """

    changes: type[C]
    locked: Callable[[UUID, Scope], E]
    rows: Sequence[Rows]
    fields: Sequence[str]

    def told(self, edition: E) -> Told:
        """Return what an edition says of itself."""
        return {name: _plain(getattr(edition, name)) for name in self.fields}

    @transaction.atomic
    def perform(
        self, edition_id: UUID, *, seen: int | None, key: UUID, act: str, scope: Scope, work: Callable[[E], Wanted],
        undoes: C | None = None,
    ) -> C | None:  # fmt: skip
        """Do one act on a draft and keep it; ``None`` when it changes nothing.

        ``work`` gets the locked draft and returns a sentence of what is done and what each touched key shall say. An act whose
        ``key`` was sent before is returned as it was done. Raises ``Conflict`` when somebody touched one of the keys since
        ``seen``; ``None`` for an act that depends on nothing that could have been seen.
        """
        edition: Any = self.locked(edition_id, scope)
        done = self._changes(edition).filter(key=key).first()
        if done is not None:
            return cast(C, done)
        said, wanted = work(edition)
        before = self._said_now(edition, wanted)
        wanted = {name: told for name, told in wanted.items() if before[name] != told}
        if not wanted:
            return None
        if seen is not None:
            self.check_unchanged(edition, seen=seen, keys=[name for name in wanted if before[name] is not None])
        self._put(edition, wanted)
        edition.revision += 1
        edition.state, edition.changed_by = EditionState.DRAFT, scope.actor
        edition.checked_by = edition.approved_by = ""
        edition.save()
        made: Any = self.changes(
            key=key, edition=edition, revision=edition.revision, act=act, said=said[:200], undoes=undoes,
            before={name: before[name] for name in wanted}, after=dict(wanted), made_by=scope.actor,
        )  # fmt: skip
        made.save(force_insert=True)
        draft_changed.send(sender=type(edition), edition=edition, said=made.said, scope=scope)
        return cast(C, made)

    def check_unchanged(self, edition: Any, *, seen: int, keys: Iterable[str]) -> None:
        """Raise ``Conflict`` that names what somebody did to one of the keys since the revision that was ``seen``."""
        if edition.revision == seen:
            return
        since, asked = self._changes(edition).filter(revision__gt=seen), list(keys)
        if len(asked) <= _ASKED_ONE_BY_ONE:
            since = since.filter(Q(after__has_any_keys=asked))
        other = since.defer("before", "after").order_by("-revision").first()
        if other is not None or seen > edition.revision:
            said = f"{other.made_by} 刚才{other.said}" if other else "页面不是最新的"
            raise Conflict(
                "edition_changed",
                f"您编辑期间，{said}。请核对下面的最新内容，再决定要不要保存您的。",
                newest=edition.revision,
            )

    def undo(self, *, change_id: int, edition_id: UUID, key: UUID, scope: Scope) -> C | None:
        """Take an act back as an act of its own; undoing that one does it again.

        Raises ``Conflict`` where it was undone already, or what it changed was changed again since.
        """
        change: Any = self.changes._default_manager.filter(edition=edition_id, pk=change_id).first()

        def work(edition: E) -> Wanted:
            if change is None:
                raise Conflict("change_unknown", "没有找到这次改动，请刷新“改动记录”。")
            if self._changes(edition).filter(undoes=change).exists():
                raise Conflict("change_undone", "这次改动已经撤销过了。")
            now = self._said_now(edition, change.after)
            if any(now[name] != told for name, told in change.after.items()):
                raise Conflict(
                    "change_moved", "这次改动涉及的内容后来又改过，不能单独撤销。请先撤销后来的，或直接修改。"
                )
            return undoing(change.said), change.before

        return self.perform(edition_id, seen=None, key=key, act="undo", scope=scope, work=work, undoes=change)

    def copy(self, source: E, draft: E) -> None:
        """Give a draft what another edition holds."""
        for rows in self.rows:
            rows.copy(source, draft)

    def undo_and_redo(self, edition: E, *, actor: str, acts: Sequence[str]) -> tuple[C | None, C | None]:
        """Return the act that 撤销 takes back for somebody, and the undoing that 重做 takes back: only what is their own.

        Only ``acts`` count. An act after an undoing leaves nothing to do again.
        """
        rows = self._changes(edition).filter(made_by=actor).order_by("revision").values_list("pk", "undoes_id", "act")
        doing: dict[int, bool] = {}
        done: list[int] = []
        undone: list[int] = []
        for pk, undoes, act in rows:
            if undoes is None and act in acts:
                doing[pk] = True
                done.append(pk)
                undone.clear()
            elif undoes in doing:
                doing[pk] = not doing[undoes]
                for pile in (done, undone):
                    if undoes in pile:
                        pile.remove(undoes)
                (done if doing[pk] else undone).append(pk)
        last = {change.pk: change for change in self._changes(edition).filter(pk__in=[*done[-1:], *undone[-1:]])}
        return (last[done[-1]] if done else None), (last[undone[-1]] if undone else None)

    def _changes(self, edition: models.Model) -> models.QuerySet[Any]:
        return self.changes._default_manager.filter(edition=edition)

    def _said_now(self, edition: E, keys: Iterable[str]) -> dict[str, Told | None]:
        asked = list(keys)
        found: dict[str, Told | None] = dict.fromkeys(asked)
        if EDITION in found:
            found[EDITION] = self.told(edition)
        for rows in self.rows:
            found |= rows.said_now(edition, asked)
        return found

    def _put(self, edition: E, wanted: Mapping[str, Told | None]) -> None:
        own = wanted.get(EDITION)
        if own is not None:
            for name in self.fields:
                setattr(edition, name, own[name])
        for rows in self.rows:
            rows.put(edition, wanted)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def undoing(said: str) -> str:
    """Return the sentence for taking an act back: undoing an undoing is doing again."""
    for word, other in (("撤销“", "重做“"), ("重做“", "撤销“")):
        if said.startswith(word):
            return other + said.removeprefix(word)
    return f"撤销“{said}”"
