"""Rotation of keys: new keys for sealing and blind indexes, then every sealed text and the data key of every kept file sealed
anew, in the background.

Who keeps sealed texts in a table of its own declares it in a ``sealed.py`` as ``SEALED``, a tuple of ``SealedTable``. Old keys
stay for reading until a person drops them, which is refused while anything needs them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from django.apps import apps
from django.db import transaction
from django.db.models import QuerySet

from geo.declared import declarations
from geo.errors import CityError, Conflict, NotFound
from geo.jobs.actions import start_job
from geo.jobs.models import Job, JobState
from geo.jobs.progress import Progress
from services.crypto.file_rotation import file_uses_of_keys, files_of_key, renew_files
from services.crypto.house import house_keys
from services.crypto.port import KeyNote, KeyService, Purpose
from services.crypto.sealing import blind_index, key_of, newest_id, seal, unseal
from services.crypto.signed_rows import holds, sign_rows, signed_tables

JOB: Final = "crypto.reseal"
BATCH: Final = 200
MOST_NAMED: Final = 100


@dataclass(frozen=True, slots=True)
class Renewal:
    """The keys in use at the beginning of a rotation's work."""

    keys: KeyService
    newest: str
    writes: ClassVar[bool] = True
    """Whether what is not sealed yet is to be sealed."""

    def text(self, sealed: str, *, field: str, owner: UUID) -> str:
        """Return a text sealed by the newest key: the same one where it already is."""
        if not sealed or key_of(sealed) == self.newest:
            return sealed
        text = unseal(sealed, field=field, owner=owner, keys=self.keys)
        return seal(text, field=field, owner=owner, keys=self.keys, longest=len(text))

    def blind(self, sealed: str, *, field: str, owner: UUID, found_by: str) -> str:
        """Return the index under the newest key of what is sealed."""
        return blind_index(unseal(sealed, field=field, owner=owner, keys=self.keys), field=found_by, keys=self.keys)


@dataclass(frozen=True, slots=True)
class Opening(Renewal):
    """Opens every text and leaves it as it is: given to ``SealedTable.renew`` to see whether a row opens."""

    writes: ClassVar[bool] = False

    def text(self, sealed: str, *, field: str, owner: UUID) -> str:
        """Return the same text. Raises ``Conflict`` for one that does not open, ``Unavailable`` without its key."""
        if sealed:
            unseal(sealed, field=field, owner=owner, keys=self.keys)
        return sealed


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with sealed texts. ``texts`` names those of a row; ``renew`` seals them anew on the row, without saving it.

    ``columns`` are written where ``renew`` changed one of them.
    """

    model: str
    title: str
    columns: tuple[str, ...]
    texts: Callable[[Any], Iterable[str]]
    renew: Callable[[Any, Renewal], None]


def renew_columns(
    row: Any,
    renewal: Renewal,
    *,
    owner: UUID,
    texts: Mapping[str, str],
    blinds: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Seal columns anew: ``texts`` says column → field; ``blinds`` index column → (column it is of, field to find by)."""
    for index, (column, found_by) in (blinds or {}).items():
        if sealed := getattr(row, column):
            setattr(row, index, renewal.blind(sealed, field=texts[column], owner=owner, found_by=found_by))
    for column, field in texts.items():
        setattr(row, column, renewal.text(getattr(row, column), field=field, owner=owner))


def sealed_tables() -> tuple[SealedTable, ...]:
    """Return every declared table, in the order of the applications."""
    return tuple(declarations("sealed", "SEALED"))


def rotate_keys(
    *, actor: str, purposes: Iterable[Purpose] = (Purpose.SEAL, Purpose.BLIND)
) -> tuple[list[KeyNote], Job]:
    """Make new keys, in use from now on, and start the work that seals everything anew.

    Raises ``Conflict`` while an earlier one is under way: of two rotations at once the first would never end.
    """
    running = Job.objects.filter(kind=JOB, state__in=[JobState.QUEUED, JobState.RUNNING])
    if running.exists():
        raise Conflict("rotation_running", "上一次密钥轮换还在进行，请等它完成后再轮换。")
    made = [house_keys().add_key(purpose) for purpose in purposes]
    return made, start_job(kind=JOB, actor=actor)


def renew_all(progress: Progress) -> dict[str, Any]:
    """Seal every text and data key anew that an older key sealed; after a crash begin at the last batch that was committed."""
    tables = sealed_tables()
    cursor = {"table": 0, "after": None, "seen": 0, "renewed": 0, "broken": [], **progress.cursor}
    renewal = _renewal()
    total = max(1, sum(rows_of(table).count() for table in tables))
    while cursor["table"] < len(tables):
        table = tables[cursor["table"]]
        with transaction.atomic():
            cursor = _renew_batch(table, cursor, renewal)
            progress.save(cursor)
        progress.step(min(1.0, cursor["seen"] / total), f"{table.title}：已重新加密 {cursor['renewed']} 条")
    cursor = renew_files(progress, cursor)
    told = ("seen", "renewed", "files_seen", "files_renewed", "broken")
    return {**{name: cursor[name] for name in told}, "key": renewal.newest}


def drop_key(*, key_id: str) -> KeyNote:
    """Forget an old key for good. Raises ``NotFound``, or ``Conflict`` for a key in use, of signatures, or still needed."""
    note = next((each for each in house_keys().notes() if each.id == key_id), None)
    if note is None:
        raise NotFound("key_unknown", "密钥库里没有这把密钥。")
    if note.purpose is Purpose.SIGN:
        raise Conflict("key_verifies", "签名密钥要留着核验以前的签名，不能删除。")
    if note.newest:
        raise Conflict("key_in_use", "这把密钥正在使用，不能删除。")
    if left := sum(1 for _ in rows_left()):
        raise Conflict(
            "key_needed", f"还有 {left} 条内容没有换成新密钥，旧密钥不能删除。请先运行 ./run keys reseal。", left=left
        )
    if left := sum(1 for _ in files_of_key(key_id)):
        raise Conflict(
            "key_needed", f"还有 {left} 个文件要用旧密钥打开，旧密钥不能删除。请先运行 ./run keys reseal。", left=left
        )
    house_keys().drop_key(key_id)
    return note


def rows_left() -> Iterator[tuple[SealedTable, Any]]:
    """Yield the rows that are not yet sealed and indexed by the newest keys, and those that do not open."""
    renewal = _renewal()
    for table in sealed_tables():
        for row in rows_of(table).order_by("pk").iterator(chunk_size=1_000):
            try:
                # What an older key sealed is told by its id alone; indexes only by making them anew.
                if any(text and key_of(text) != renewal.newest for text in table.texts(row)) or _changes(
                    row, table, renewal
                ):
                    yield table, row
            except CityError:
                yield table, row


def uses_of_keys() -> Counter[str]:
    """Return how many sealed texts and files there are by the id of their key."""
    uses = file_uses_of_keys()
    for table in sealed_tables():
        for row in rows_of(table).order_by("pk").iterator(chunk_size=1_000):
            uses.update(key_of(text) for text in table.texts(row) if text)
    return uses


def _renewal() -> Renewal:
    keys = house_keys()
    return Renewal(keys, newest_id(Purpose.SEAL, keys=keys))


def rows_of(table: SealedTable) -> QuerySet[Any]:
    """Return the rows of a table."""
    rows: QuerySet[Any] = apps.get_model(table.model)._default_manager.all()
    return rows


def _renew_batch(table: SealedTable, cursor: dict[str, Any], renewal: Renewal) -> dict[str, Any]:
    rows = rows_of(table).select_for_update().order_by("pk")
    if cursor["after"] is not None:
        rows = rows.filter(pk__gt=cursor["after"])
    batch, changed, broken = list(rows[:BATCH]), [], list(cursor["broken"])
    if not batch:
        return {**cursor, "table": cursor["table"] + 1, "after": None}
    signed = next((each for each in signed_tables() if each.model == table.model), None)
    sound = {row.pk for row in batch if signed is not None and holds(signed, row)}
    for row in batch:
        try:
            if _changes(row, table, renewal):
                changed.append(row)
        except (
            Conflict
        ) as fault:  # one that does not open is named, and the work goes on; a missing holder of keys ends it
            if len(broken) < MOST_NAMED:
                broken.append({"table": table.title, "row": str(row.pk), "code": fault.code})
    rows_of(table).bulk_update(changed, table.columns)
    if signed is not None:  # a row that did not hold before does not hold now either
        sign_rows(signed, [row for row in changed if row.pk in sound])
    return {
        **cursor,
        "after": str(batch[-1].pk),
        "seen": cursor["seen"] + len(batch),
        "renewed": cursor["renewed"] + len(changed),
        "broken": broken,
    }


def _changes(row: Any, table: SealedTable, renewal: Renewal) -> bool:
    before = {column: repr(getattr(row, column)) for column in table.columns}
    table.renew(row, renewal)
    return any(before[column] != repr(getattr(row, column)) for column in table.columns)
