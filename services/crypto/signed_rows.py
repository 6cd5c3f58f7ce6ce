"""Rows whose content is signed, such as grants: signed where our own code saves them; one altered by hand is told apart.

Who keeps such a table declares it in a ``signed.py`` as ``SIGNED``, a tuple of ``SignedTable``; ``watch_signed_rows`` then signs
at each save and deletion. What writes past ``save`` (``update``, ``bulk_create``) calls ``sign_rows`` itself.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.cache import cache
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from geo.declared import declarations
from services.crypto.chain import ChainedTable, canonical
from services.crypto.house import house_keys
from services.crypto.models import RowSignature
from services.crypto.primitives import sm3
from services.crypto.reports import Finding

GONE: Final = b""
MOST_KNOWN: Final = 20_000
MOST_NAMED: Final = 100
TELL_AGAIN_S: Final = 3_600
_known: dict[tuple[str, str], bytes] = {}
_known_lock = threading.Lock()
_told: list[Callable[[Finding], None]] = []


@dataclass(frozen=True, slots=True)
class SignedTable:
    """A table with signed rows: a key, a title, the model, the columns that count, and how a person names a row."""

    key: str
    title: str
    model: str
    columns: tuple[str, ...]
    named: Callable[[Any], str] = str

    def digest(self, row: Any) -> bytes:
        """Return the digest of what counts of a row."""
        return sm3(canonical([self.key, str(row.pk), {column: getattr(row, column) for column in self.columns}]))

    def kind(self) -> type[models.Model]:
        """Return the model."""
        return apps.get_model(self.model)


@functools.cache
def signed_tables() -> tuple[SignedTable, ...]:
    """Return every declared table, in the order of the applications."""
    return tuple(declarations("signed", "SIGNED"))


def table_of(key: str) -> SignedTable:
    """Return the declared table of a key. Raises ``KeyError``."""
    return next(table for table in signed_tables() if table.key == key)


def watch_signed_rows(table: SignedTable) -> None:
    """Sign the rows of a table whenever one is saved or deleted; called once, when its app is ready."""

    def saved(instance: Any, raw: bool = False, update_fields: Iterable[str] | None = None, **_: Any) -> None:
        written = set(table.columns) if update_fields is None else _columns_of(table, update_fields)
        if written and not raw:
            sign_rows(table, [instance])

    def deleted(instance: Any, **_: Any) -> None:
        _sign(table, [(str(instance.pk), GONE)])

    post_save.connect(saved, sender=table.kind(), weak=False, dispatch_uid=f"signed:{table.key}")
    post_delete.connect(deleted, sender=table.kind(), weak=False, dispatch_uid=f"signed:{table.key}")


@transaction.atomic
def sign_rows(table: SignedTable, rows: Iterable[Any]) -> int:
    """Sign rows as they are, those whose newest signature already says so excepted, and return how many were signed."""
    digests = {str(row.pk): table.digest(row) for row in rows}
    newest = _newest(table.key, digests)
    stale = [(row, digest) for row, digest in digests.items() if _digest_of(newest.get(row)) != digest]
    _sign(table, stale)
    return len(stale)


def holds(table: SignedTable, row: Any) -> bool:
    """Say whether a row is as it was signed. What this process has verified before costs one digest and no query.

    A row that does not hold is told to whoever listens (``told_of``), once an hour.
    """
    digest, place = table.digest(row), (table.key, str(row.pk))
    if _known.get(place) == digest:
        return True
    newest = _newest(table.key, [place[1]]).get(place[1])
    if newest is None or bytes(newest.digest) != digest or not _genuine(newest):
        if cache.add(f"tampered:{table.key}:{row.pk}:{digest.hex()[:16]}", 1, timeout=TELL_AGAIN_S):
            finding = _finding(table, row, newest)
            for listener in _told:
                listener(finding)
        return False
    with _known_lock:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[place] = digest
    return True


def told_of(listener: Callable[[Finding], None]) -> None:
    """Register who is told of a row that is not as it was signed."""
    if listener not in _told:
        _told.append(listener)


def check_signed_rows(table: SignedTable) -> tuple[int, list[Finding]]:
    """Check every row of a table and every signature without a row; return how many rows there are and what is wrong."""
    findings: list[Finding] = []
    seen = 0
    for rows in _batches(table):
        newest = _newest(table.key, [str(row.pk) for row in rows])
        seen += len(rows)
        for row in rows:
            last = newest.get(str(row.pk))
            if last is None or bytes(last.digest) != table.digest(row) or not _genuine(last):
                findings.append(_finding(table, row, last))
    findings.extend(_removed(table))
    return seen, findings[:MOST_NAMED]


SIGNATURES: Final = ChainedTable(
    "signatures", "签名记录", "crypto.RowSignature", ("kind", "row", "digest", "at", "key_id", "signature")
)


def _removed(table: SignedTable) -> Iterator[Finding]:
    last: dict[str, bytes] = {}
    signatures = RowSignature.objects.filter(kind=table.key).order_by("pk").values_list("row", "digest")
    for row, digest in signatures.iterator(chunk_size=2_000):
        last[row] = bytes(digest)
    present = {str(pk) for pk in table.kind()._default_manager.values_list("pk", flat=True)}
    for row in sorted(row for row, digest in last.items() if digest != GONE and row not in present):
        yield Finding("row_removed", table.title, f"{table.title} {row} 被绕过系统删除", row)


def _batches(table: SignedTable) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in table.kind()._default_manager.order_by("pk").iterator(chunk_size=1_000):
        batch.append(row)
        if len(batch) == 1_000:
            yield batch
            batch = []
    if batch:
        yield batch


def _finding(table: SignedTable, row: Any, newest: RowSignature | None) -> Finding:
    if newest is None or bytes(newest.digest) == GONE:
        return Finding(
            "row_unsigned", table.title, f"{table.title}“{table.named(row)}”没有签名，可能被绕过系统添加", row.pk
        )
    if not _genuine(newest):
        return Finding("row_forged", table.title, f"{table.title}“{table.named(row)}”的签名无效，可能是伪造的", row.pk)
    return Finding(
        "row_changed", table.title, f"{table.title}“{table.named(row)}”与签名不符，可能被绕过系统改动", row.pk
    )


def _columns_of(table: SignedTable, names: Iterable[str]) -> set[str]:
    fields = (table.kind()._meta.get_field(name) for name in names)
    return {name for field in fields for name in (field.name, getattr(field, "attname", ""))} & set(table.columns)


def _sign(table: SignedTable, rows: Sequence[tuple[str, bytes]]) -> None:
    keys, made = house_keys(), []
    for row, digest in rows:
        at = timezone.now()
        key_id, signature = keys.sign(_signed_bytes(table.key, row, digest, at))
        made.append(RowSignature(kind=table.key, row=row, digest=digest, at=at, key_id=key_id, signature=signature))
    RowSignature.objects.bulk_create(made)


def _newest(kind: str, rows: Iterable[str]) -> dict[str, RowSignature]:
    found = RowSignature.objects.filter(kind=kind, row__in=list(rows)).order_by("row", "-id").distinct("row")
    return {each.row: each for each in found}


def _digest_of(signature: RowSignature | None) -> bytes | None:
    return bytes(signature.digest) if signature is not None else None


def _genuine(signature: RowSignature) -> bool:
    data = _signed_bytes(signature.kind, signature.row, bytes(signature.digest), signature.at)
    return house_keys().verify(signature.key_id, data, bytes(signature.signature))


def _signed_bytes(kind: str, row: str, digest: bytes, at: Any) -> bytes:
    return canonical(["row", kind, row, digest, at])
