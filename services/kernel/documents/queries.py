"""Reads of attachments: those of an owner, one with its versions, and whether its content may be opened.

An attachment is seen exactly where its owner is: the declared kind of owner decides, by the scope.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db.models import Sum

from geo.errors import CityError, Conflict, Forbidden, NotFound
from geo.kept import open_file
from geo.scope import Scope
from services.kernel.documents.models import LIVE, Attachment, ScanState
from services.kernel.documents.registry import DOCUMENT, owner_kind, purpose_of
from services.kernel.documents.spec import FileType, Owner, OwnerKind, Purpose
from services.kernel.documents.store import path_of


@dataclass(frozen=True, slots=True)
class Held:
    """An attachment with what its declarations say of it."""

    row: Attachment
    kind: OwnerKind
    owner: Owner
    purpose: Purpose

    @property
    def type(self) -> FileType:
        """Return the type of its content."""
        return FileType(self.row.type)

    @property
    def path(self) -> Path:
        """Return where its content lies, sealed."""
        return path_of(self.row.sha256)

    def open(self) -> BinaryIO:
        """Return its content as a stream that can be sought. Raises ``NotFound`` when it is gone, ``Conflict`` when altered."""
        try:
            return open_file(self.path)
        except FileNotFoundError:
            raise NotFound("content_missing", "这个文件的内容不见了。请联系管理员从备份恢复。") from None

    @property
    def openable(self) -> bool:
        """Say whether its content may be opened."""
        return why_closed(self) is None


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one owner for one purpose; ``removed`` are those that can be brought back."""

    purpose: Purpose
    files: tuple[Held, ...]
    removed: tuple[Held, ...]

    @property
    def full(self) -> bool:
        """Say whether no further file is taken."""
        return len(self.files) >= self.purpose.most_files


def owner_of(*, kind: str, owner_id: str, scope: Scope) -> tuple[OwnerKind, Owner]:
    """Return an owner of files. Raises ``NotFound`` for one that is not there, or not in scope."""
    declared = owner_kind(kind)
    return declared, declared.find(owner_id, scope)


def check_editable(owner: Owner) -> None:
    """Raise ``Forbidden`` when the caller may not add files to an owner."""
    if not owner.may_edit:
        raise Forbidden("files_read_only", "您可以查看这里的文件，但不能增改。需要的话可向上级管理员申请。")


def folders_of(*, kind: str, owner_id: str, scope: Scope) -> list[Folder]:
    """Return the files of an owner by purpose, in the order declared; what was made from templates comes last, if there is any.

    Raises ``NotFound`` for an owner that is not in scope.
    """
    declared, owner = owner_of(kind=kind, owner_id=owner_id, scope=scope)
    rows = list(Attachment.objects.filter(owner_kind=kind, owner_id=owner_id, current=True))
    folders = []
    for purpose in (*declared.purposes, *owner.purposes, DOCUMENT):
        if not (owner.staff or purpose.public):
            continue
        held = [Held(row, declared, owner, purpose) for row in rows if row.purpose == purpose.key]
        live = tuple(one for one in held if one.row.removed_at is None)
        if not owner.staff:
            live = tuple(one for one in live if one.openable)
        removed = tuple(one for one in held if one.row.removed_at is not None) if owner.may_edit else ()
        if live or removed or not purpose.made:
            folders.append(Folder(purpose, live, removed))
    return folders


def attachment_of(*, attachment_id: uuid.UUID | str, scope: Scope) -> Held:
    """Return one version of a file. Raises ``NotFound`` in the same words whether there is none or none for the caller."""
    row = Attachment.objects.filter(pk=attachment_id).first()
    missing = NotFound("attachment_unknown", "没有找到这个文件，它可能已被移除，或不在您的管辖范围内。")
    if row is None:
        raise missing
    try:
        kind, owner = owner_of(kind=row.owner_kind, owner_id=row.owner_id, scope=scope)
        purpose = purpose_of(kind, row.purpose, owner)
    except NotFound as hidden:
        raise missing from hidden
    held = Held(row, kind, owner, purpose)
    shown = owner.staff or (purpose.public and row.current and held.openable)
    if not shown or (_removed(row) and not owner.may_edit):
        raise missing
    return held


def _removed(row: Attachment) -> bool:
    """Say whether the file of a version was removed: the mark stands on its newest version."""
    return Attachment.objects.filter(series=row.series, current=True, removed_at__isnull=False).exists()


def content_of(*, attachment_id: uuid.UUID | str, scope: Scope) -> Held:
    """Return one version of a file whose content may be opened. Raises ``NotFound``, ``Forbidden``, ``Conflict``."""
    held = attachment_of(attachment_id=attachment_id, scope=scope)
    if (closed := why_closed(held)) is not None:
        raise closed
    return held


def why_closed(held: Held) -> CityError | None:
    """Return why the content of a file may not be opened by the caller, or none when it may."""
    row = held.row
    if row.state == ScanState.REFUSED:
        return Forbidden("file_infected", f"这个文件里发现了病毒（{row.found}），已隔离，不能打开。请重新上传一份。")
    if row.state != ScanState.CLEAN and not held.row.made and not (held.owner.staff and settings.OPEN_UNSCANNED):
        return Forbidden("file_unscanned", "这个文件还没有查毒，查过以后才能打开。")
    if row.removed_at is not None:
        return Conflict("file_removed", "这个文件已移除。恢复以后才能打开。")
    return None


def versions_of(held: Held) -> Sequence[Held]:
    """Return all versions of a file, newest first."""
    rows = Attachment.objects.filter(series=held.row.series).order_by("-version")
    return [Held(row, held.kind, held.owner, held.purpose) for row in rows]


def bytes_of(*, kind: str, owner_id: str) -> int:
    """Return how many bytes the files of an owner take, older versions counted, removed ones not."""
    rows = Attachment.objects.filter(owner_kind=kind, owner_id=owner_id)
    gone = rows.filter(current=True, removed_at__isnull=False).values("series")
    return rows.exclude(series__in=gone).aggregate(total=Sum("size"))["total"] or 0


def live_files(*, kind: str, owner_id: str, purpose: str) -> int:
    """Return how many files an owner has for a purpose."""
    return Attachment.objects.filter(LIVE, owner_kind=kind, owner_id=owner_id, purpose=purpose).count()
