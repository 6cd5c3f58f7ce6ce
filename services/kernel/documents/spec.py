"""What an app declares in its file ``documents.py``: who may own files, which files for which purpose, and templates.

Frozen values only, in the tuples ``OWNERS`` and ``TEMPLATES`` of that file; ``registry`` finds them. Sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from geo.scope import Scope

MEGABYTE: Final = 1_000_000
MOST_OWNER_BYTES: Final = 500 * MEGABYTE


class FileType(StrEnum):
    """A kind of file that can be taken in, told by its content."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"

    @property
    def suffix(self) -> str:
        """Return the ending of a file's name, with the dot."""
        return ".jpg" if self is FileType.JPEG else f".{self.value}"

    @property
    def media_type(self) -> str:
        """Return what HTTP calls it."""
        return _MEDIA_TYPES[self]

    @property
    def label(self) -> str:
        """Return what people call it."""
        return _LABELS[self]

    @property
    def family(self) -> str:
        """Return image, pdf, docx or xlsx: within a family a name may end otherwise than the content says."""
        return "image" if self in IMAGES else self.value


_MEDIA_TYPES: Final = {
    FileType.JPEG: "image/jpeg",
    FileType.PNG: "image/png",
    FileType.WEBP: "image/webp",
    FileType.PDF: "application/pdf",
    FileType.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileType.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_LABELS: Final = {
    FileType.JPEG: "JPG 图片",
    FileType.PNG: "PNG 图片",
    FileType.WEBP: "WebP 图片",
    FileType.PDF: "PDF",
    FileType.DOCX: "Word（.docx）",
    FileType.XLSX: "Excel（.xlsx）",
}
IMAGES: Final = frozenset({FileType.JPEG, FileType.PNG, FileType.WEBP})
PAPERS: Final = IMAGES | {FileType.PDF}
"""What a scan or a photo of a paper comes as."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a file is for, and so which files are taken: their types, the bytes of one, and how many one owner may have.

    ``sensitive`` files leave a line in the audit log each time they are opened. ``public`` files of an owner whom everybody
    may see are shown to everybody, once they are found clean. ``made`` files come from templates and are not uploaded.
    """

    key: str
    name: str
    types: frozenset[FileType]
    most_bytes: int = 20 * MEGABYTE
    most_files: int = 20
    sensitive: bool = False
    public: bool = False
    made: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Something that owns files, as one caller meets it: what it is called, where it lies, whether the caller may add to it."""

    title: str
    href: str
    region_id: int | None
    may_edit: bool
    staff: bool
    """Whether the caller meets it as staff; others see only ``public`` purposes."""
    purposes: tuple[Purpose, ...] = ()
    """What this very owner may have files for beside the purposes of its kind, where those are data."""
    names_people: bool = True
    """Whether the caller is told who brought or made a file."""


@dataclass(frozen=True, slots=True)
class OwnerKind:
    """A kind of thing that may own files; one that has a ledger bears its key, and its files stand in the detail there.

    ``find`` raises ``NotFound`` for one that does not exist or is not in scope.

    ``facts`` returns what a template may say of an owner, by the names of ``TemplateSpec.fields``.
    """

    key: str
    name: str
    find: Callable[[str, Scope], Owner]
    purposes: tuple[Purpose, ...]
    facts: Callable[[str, Scope], Mapping[str, Any]] | None = None
    most_bytes: int = MOST_OWNER_BYTES

    def purpose(self, key: str) -> Purpose | None:
        """Return a purpose by its key."""
        return next((one for one in self.purposes if one.key == key), None)


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A field of a template: its name as staff write it in ``{{…}}``, what it holds, and whether a document can do without."""

    name: str
    help: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A document that can be made of owners of a kind: its fields, sample values of all of them, and the text it starts with.

    ``source`` is a file of the declaring app, ``.typ`` or ``.docx``; staff of a region may put a text of their own in its place.
    """

    key: str
    title: str
    owner_kind: str
    fields: tuple[TemplateField, ...]
    sample: Mapping[str, Any] = field(default_factory=dict)
    source: Path = Path()
