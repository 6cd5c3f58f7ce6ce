"""Word and Excel files: a plain archive of well-formed parts, without macros, foreign objects or anything fetched."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip
from services.kernel.documents.reasons import Refused

MOST_BYTES: Final = 300_000_000
_MACROS: Final = ("vbaproject", "vbadata", "macrosheets/", "activex/", "customui")
_MACRO_TYPES: Final = ("macroenabled", "vbaproject", "activex")
_OBJECTS: Final = ("embeddings/", "oleobject")
_FOREIGN: Final = ("externallinks/", "connections.xml", "querytables/")
_FORBIDDEN: Final = (
    (_MACROS, "office_macro", ""),
    (_OBJECTS, "office_embedded", "OLE 对象"),
    (_FOREIGN, "office_external", "外部数据连接"),
)
_LINK: Final = "/hyperlink"
"""A link a person follows; every other target outside the file is fetched by the programme that opens it."""
_FIELDS: Final = ("DDE", "DDEAUTO", "INCLUDETEXT", "INCLUDEPICTURE", "LINK", "DATABASE", "AUTOTEXT", "MACROBUTTON")


def check_office(path: Path) -> dict[str, Any]:
    """Read every part of a Word or Excel file. Raises ``Refused`` for what it must not hold, or when it is broken."""
    try:
        with checked_zip(path) as archive:
            _check_members(archive)
            for member in archive.infolist():
                name = member.filename.lower()
                if name.endswith((".xml", ".rels")):
                    _check_part(archive, member)
    except SourceRefused as fault:
        raise Refused("file_exploded" if fault.code == "archive_bomb" else "file_broken") from fault
    except DefusedXmlException as fault:
        raise Refused("office_external", "外部实体") from fault
    except (zipfile.BadZipFile, ParseError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as fault:
        raise Refused("file_broken") from fault
    return {}


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = [member.filename.replace("\\", "/").lower() for member in members]
    if len(set(names)) != len(names):
        raise Refused("file_polyglot")  # two parts of one name: each reader takes another
    if min(member.header_offset for member in members) != 0 or archive.comment:
        raise Refused("file_polyglot")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise Refused("file_exploded")
    for words, code, found in _FORBIDDEN:
        if any(word in name for name in names for word in words):
            raise Refused(code, found)


def _check_part(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    code = ""
    with archive.open(member) as part:
        # Elements are dropped as they end: a sheet of a million cells takes no more memory than one row.
        for _, element in iterparse(part, events=("end",), forbid_dtd=True):
            tag = str(element.tag).rpartition("}")[2]
            if tag == "Relationship":
                _check_relationship(element.attrib)
            elif tag in ("Override", "Default"):
                _check_type(str(element.get("ContentType", "")).lower())
            elif tag == "instrText":
                code += element.text or ""
            elif tag == "fldSimple":
                _check_field(next((value for key, value in element.attrib.items() if key.endswith("}instr")), ""))
            elif tag in ("fldChar", "p"):
                # The code of a field may be cut into many runs; it is whole where the field turns or the paragraph ends.
                _check_field(code)
                code = ""
            element.clear()


def _check_relationship(said: dict[str, str]) -> None:
    if said.get("TargetMode", "").lower() == "external" and not said.get("Type", "").endswith(_LINK):
        raise Refused("office_external", said.get("Type", "").rpartition("/")[2][:40] or "链接")


def _check_type(said: str) -> None:
    if any(word in said for word in _MACRO_TYPES):
        raise Refused("office_macro")


def _check_field(code: str) -> None:
    words = code.upper().split()
    if words and words[0] in _FIELDS:
        raise Refused("office_external", f"{words[0]} 域")
