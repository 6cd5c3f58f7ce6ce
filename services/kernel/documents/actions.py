"""Writes of attachments: attach, replace by a new version, remove, bring back, and what the virus scanner said."""

from __future__ import annotations

import datetime
import hashlib
import logging
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from geo.errors import Conflict, NotFound, TooLarge, TooMany
from geo.kept import open_file
from geo.scope import Scope
from services.integrations.scanning import ScannerUnavailable, configured_scanner
from services.kernel.documents.checking import Checked, check_file
from services.kernel.documents.contents import delete_unnamed
from services.kernel.documents.models import LIVE, Attachment, ScanState
from services.kernel.documents.queries import (
    Held,
    attachment_of,
    bytes_of,
    check_editable,
    live_files,
    owner_of,
)
from services.kernel.documents.registry import DOCUMENT, purpose_of
from services.kernel.documents.spec import MEGABYTE, FileType, Owner, OwnerKind, Purpose
from services.kernel.documents.store import digest_of, incoming, keep, path_of

log = logging.getLogger(__name__)
SCAN_TASK: Final = "services.kernel.documents.scan"
RETRY_AFTER: Final = datetime.timedelta(minutes=4)
"""A file is not offered to the scanner again before this; a worker that died in a scan is followed up after it."""
_SCANNABLE: Final = (ScanState.WAITING, ScanState.UNSCANNED)


def attach_file(*, kind: str, owner_id: str, purpose: str, source: Path, name: str, scope: Scope) -> Held:
    """Check an uploaded file and keep it as a new attachment of an owner; the scanner looks at it afterwards.

    The same content for the same purpose is kept once: the second time the first attachment is returned. Raises ``BadInput`` or
    ``TooLarge`` for a file that is not taken, ``TooMany`` beyond the limits of the owner, ``NotFound``, ``Forbidden``.
    """
    declared, owner, wanted = _editable(kind, owner_id, purpose, scope)
    upload = digest_of(source)
    same = Attachment.objects.filter(LIVE, owner_kind=kind, owner_id=owner_id, purpose=purpose, upload_sha256=upload)
    if (known := same.first()) is not None:
        return Held(known, declared, owner, wanted)
    row = Attachment(owner_kind=kind, owner_id=owner_id, purpose=purpose, upload_sha256=upload)
    _take_in(row, source=source, name=name, purpose=wanted)
    with transaction.atomic():
        _lock_owner(kind, owner_id)
        # Checked again under the lock: the other half of a double click may have been quicker.
        if (known := same.first()) is None:
            _check_room(declared, owner_id, wanted, row.size)
            known = _insert(row, owner, scope)
    return Held(known, declared, owner, wanted)


def replace_attachment(*, attachment_id: uuid.UUID | str, source: Path, name: str, scope: Scope) -> Held:
    """Keep an uploaded file as the next version of an attachment; the older versions stay.

    Raises ``Conflict`` when it is not the newest version, was removed, or another attachment holds the same content; the rest is
    as with ``attach_file``.
    """
    old = attachment_of(attachment_id=attachment_id, scope=scope)
    check_editable(old.owner)
    if old.purpose.made:
        raise Conflict("document_made", "文书由模板生成，不能上传替换。需要改动时请重新生成一份。")
    upload = digest_of(source)
    if upload == old.row.upload_sha256 and old.row.current and old.row.removed_at is None:
        return old
    row = Attachment(
        owner_kind=old.row.owner_kind, owner_id=old.row.owner_id, purpose=old.row.purpose, upload_sha256=upload
    )
    _take_in(row, source=source, name=name, purpose=old.purpose)
    with transaction.atomic():
        _lock_owner(row.owner_kind, row.owner_id)
        before = Attachment.objects.select_for_update().get(pk=old.row.pk)
        if before.removed_at is not None:
            raise Conflict("file_removed", "这个文件已移除。请先恢复，再上传新版本。")
        if not before.current:
            newest = Attachment.objects.get(series=before.series, current=True)
            if newest.replaces_id == before.pk and newest.upload_sha256 == upload:
                return Held(newest, old.kind, old.owner, old.purpose)  # the other half of a double click
            raise Conflict("file_changed", "别人刚上传了更新的版本。请刷新页面，看过以后再决定。")
        _check_same_content(row)
        _check_bytes(old.kind, row.owner_id, row.size)
        Attachment.objects.filter(pk=before.pk).update(current=False)
        row.series, row.version, row.replaces = before.series, before.version + 1, before
        return Held(_insert(row, old.owner, scope), old.kind, old.owner, old.purpose)


@transaction.atomic
def remove_attachment(*, attachment_id: uuid.UUID | str, scope: Scope) -> Held:
    """Take a file with all its versions off its owner; ``restore_attachment`` brings it back. Removing twice changes nothing."""
    held = _newest(attachment_id, scope)
    if held.row.removed_at is None:
        held.row.removed_at, held.row.removed_by = timezone.now(), scope.actor
        held.row.save(update_fields=["removed_at", "removed_by"])
    return held


@transaction.atomic
def restore_attachment(*, attachment_id: uuid.UUID | str, scope: Scope) -> Held:
    """Bring a removed file back. Raises ``Conflict`` when the same content was attached again, ``TooMany`` without room."""
    held = _newest(attachment_id, scope)
    if held.row.removed_at is not None:
        _check_same_content(held.row)
        _check_room(held.kind, held.row.owner_id, held.purpose, held.row.size)
        held.row.removed_at, held.row.removed_by = None, ""
        held.row.save(update_fields=["removed_at", "removed_by"])
    return held


def purge_removed(*, now: datetime.datetime | None = None, most: int = 1_000) -> int:
    """Delete for good the files that were removed long ago, with all their versions and contents; return how many files went.

    Contents that another file shares stay. A crash between rows and contents leaves orphans, which ``contents.sweep`` finds.
    """
    before = (now or timezone.now()) - datetime.timedelta(days=settings.REMOVED_FILES_DAYS)
    gone = list(Attachment.objects.filter(current=True, removed_at__lt=before).values_list("series", flat=True)[:most])
    with transaction.atomic():
        # Locked and asked again: somebody may be bringing one back.
        locked = Attachment.objects.select_for_update().filter(series__in=gone, current=True, removed_at__lt=before)
        series = {row.series for row in locked}
        versions = Attachment.objects.filter(series__in=series)
        paths = {path_of(digest) for digest in versions.values_list("sha256", flat=True)}
        versions.update(replaces=None)
        versions.delete()
    delete_unnamed(paths)
    if series:
        log.info("removed files purged", extra={"files": len(series)})
    return len(series)


def attach_document(
    *, kind: str, owner_id: str, content: bytes, type: FileType, name: str, made: Mapping[str, Any], scope: Scope
) -> Held:
    """Keep a document that was made from a template as an attachment of its owner; ``made`` says from which text and data."""
    declared, owner = owner_of(kind=kind, owner_id=owner_id, scope=scope)
    check_editable(owner)
    with incoming() as folder:
        file = folder / "made"
        file.write_bytes(content)
        digest = keep(file)
    row = Attachment(
        owner_kind=kind, owner_id=owner_id, purpose=DOCUMENT.key, name=name, type=type.value, size=len(content),
        sha256=digest, upload_sha256=digest, made=dict(made),
    )  # fmt: skip
    with transaction.atomic():
        _lock_owner(kind, owner_id)
        same = Attachment.objects.filter(LIVE, owner_kind=kind, owner_id=owner_id, purpose=DOCUMENT.key, sha256=digest)
        if (known := same.first()) is not None:
            return Held(known, declared, owner, DOCUMENT)
        _check_room(declared, owner_id, DOCUMENT, row.size)
        return Held(_insert(row, owner, scope), declared, owner, DOCUMENT)


def scan_attachment(*, attachment_id: uuid.UUID | str) -> ScanState | None:
    """Let the scanner look at a file that waits, and write down what it said; return its state, none when nothing was to be done.

    May be called any number of times. A scanner that is away changes nothing: the file goes on waiting.
    """
    scanner = configured_scanner()
    waiting = Attachment.objects.filter(pk=attachment_id, state__in=_SCANNABLE)
    row = waiting.first()
    if scanner is None or row is None:
        return None
    # Said before the scan, so that the sweep does not queue a large file again while it is being read.
    waiting.update(scan_tried_at=timezone.now(), state=ScanState.WAITING)
    try:
        with open_file(path_of(row.sha256)) as content:
            verdict = scanner.scan(content)
    except ScannerUnavailable as fault:
        log.warning("scanner unavailable", extra={"attachment": str(row.pk), "why": fault.why})
        return ScanState.WAITING
    state = ScanState.CLEAN if verdict.clean else ScanState.REFUSED
    waiting.update(state=state, found=verdict.found, scanned_at=timezone.now())
    return state


def scan_waiting(*, most: int = 500, now: datetime.datetime | None = None) -> int:
    """Queue the files that wait for the scanner and were not offered lately; return how many. Without a scanner, none."""
    if configured_scanner() is None:
        return 0
    before = (now or timezone.now()) - RETRY_AFTER
    due = Attachment.objects.filter(
        Q(scan_tried_at=None) | Q(scan_tried_at__lt=before), state__in=_SCANNABLE, made={}
    ).order_by(F("scan_tried_at").asc(nulls_first=True), "pk")
    ids = list(due.values_list("pk", flat=True)[:most])
    for one in ids:
        enqueue_scan(one)
    return len(ids)


def enqueue_scan(attachment_id: uuid.UUID) -> None:
    """Hand a scan to a worker."""
    current_app.send_task(SCAN_TASK, args=[str(attachment_id)])


def _editable(kind: str, owner_id: str, purpose: str, scope: Scope) -> tuple[OwnerKind, Owner, Purpose]:
    declared, owner = owner_of(kind=kind, owner_id=owner_id, scope=scope)
    check_editable(owner)
    wanted = purpose_of(declared, purpose, owner)
    if wanted.made:
        raise NotFound("purpose_unknown", "没有这一项材料，请刷新页面后再试。")
    return declared, owner, wanted


def _take_in(row: Attachment, *, source: Path, name: str, purpose: Purpose) -> None:
    """Check the content and put it into the store; a row that is not inserted leaves an orphan, which the sweep finds."""
    with incoming() as folder:
        target = folder / "content"
        checked: Checked = check_file(source, target, name=name, purpose=purpose)
        row.size, row.sha256 = target.stat().st_size, keep(target)
    row.name, row.type, row.facts = checked.name, checked.type.value, checked.facts


def _insert(row: Attachment, owner: Owner, scope: Scope) -> Attachment:
    row.region_id, row.uploaded_by = owner.region_id, scope.actor
    if row.made:
        row.state, row.scanned_at = ScanState.CLEAN, timezone.now()
    elif configured_scanner() is not None:
        row.state = ScanState.WAITING
    row.save(force_insert=True)
    if row.state == ScanState.WAITING:
        # Without a queue the file simply waits for the sweep.
        transaction.on_commit(lambda: enqueue_scan(row.pk), robust=True)
    return row


def _newest(attachment_id: uuid.UUID | str, scope: Scope) -> Held:
    held = attachment_of(attachment_id=attachment_id, scope=scope)
    check_editable(held.owner)
    _lock_owner(held.row.owner_kind, held.row.owner_id)
    row = Attachment.objects.select_for_update().get(series=held.row.series, current=True)
    return Held(row, held.kind, held.owner, held.purpose)


def _lock_owner(kind: str, owner_id: str) -> None:
    """Let one writer at a time count and change the files of an owner, until the transaction ends."""
    number = int.from_bytes(hashlib.sha256(f"files:{kind}:{owner_id}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _check_room(kind: OwnerKind, owner_id: str, purpose: Purpose, size: int) -> None:
    if live_files(kind=kind.key, owner_id=owner_id, purpose=purpose.key) >= purpose.most_files:
        said = f"“{purpose.name}”最多放 {purpose.most_files} 个文件。请先移除不用的，再上传。"
        raise TooMany("too_many_files", said, most=purpose.most_files)
    _check_bytes(kind, owner_id, size)


def _check_bytes(kind: OwnerKind, owner_id: str, size: int) -> None:
    if bytes_of(kind=kind.key, owner_id=owner_id) + size > kind.most_bytes:
        said = f"这里的文件加起来最多 {kind.most_bytes // MEGABYTE} MB。请先移除不用的，再上传。"
        raise TooLarge("owner_full", said, most=kind.most_bytes)


def _check_same_content(row: Attachment) -> None:
    same = Attachment.objects.filter(
        LIVE, owner_kind=row.owner_kind, owner_id=row.owner_id, purpose=row.purpose, upload_sha256=row.upload_sha256
    )
    if (other := same.exclude(pk=row.pk).first()) is not None:
        raise Conflict("file_twice", f"同样的文件已经在这里了：“{other.name}”。")
