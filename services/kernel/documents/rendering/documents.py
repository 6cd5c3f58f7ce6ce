"""Documents made of a template and data: checked for completeness here, made apart."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import orjson
from django.conf import settings

from geo.kept import plain_copy
from services.kernel.documents.apart import ask_apart
from services.kernel.documents.reasons import Refused, refusal
from services.kernel.documents.spec import TemplateSpec

Format = Literal["pdf", "docx"]
MODULE: Final = "services.kernel.documents.rendering.apart"
SECONDS: Final = 30.0
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a template: ``number`` 0 is the declared one, others are versions that staff of ``region`` uploaded."""

    spec: TemplateSpec
    path: Path
    kind: Literal["typ", "docx"]
    sha256: str
    number: int = 0
    region_id: int | None = None

    @property
    def formats(self) -> tuple[Format, ...]:
        """Return the formats it can be made in."""
        return ("pdf", "docx") if self.kind == "docx" else ("pdf",)


def render_document(text: Text, data: Mapping[str, Any], format: Format) -> bytes:
    """Return a document of a template and data; equal data give equal bytes.

    Raises ``BadInput`` naming a required field that is missing or empty, or saying what is wrong with the template, ``TooLarge``
    when it takes too long or too much memory.
    """
    if format not in text.formats:
        raise refusal("template_failed", found="这份模板只能生成 PDF")
    whole = complete(text.spec, data)
    with tempfile.TemporaryDirectory(prefix="quantu-rendering-") as folder, plain_copy(text.path) as source:
        target = Path(folder) / "made"
        request = {
            "source": str(source.resolve()),
            "kind": text.kind,
            "format": format,
            "data": whole,
            "fonts": str(settings.DOCUMENT_FONTS),
            "target": str(target),
        }
        _ask(request)
        return target.read_bytes()


def fields_of_template(path: Path) -> list[str]:
    """Return the fields that a Word template uses. Raises ``BadInput`` when it is wrong or does what it must not."""
    fields: list[str] = _ask({"source": str(path.resolve())})["fields"]
    return fields


def complete(spec: TemplateSpec, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared fields with their values, optional ones filled with ''. Raises ``BadInput`` for a missing one."""
    whole = {}
    for one in spec.fields:
        value = data.get(one.name, "")
        if one.required and value in ("", None, []):
            raise refusal("field_missing", found=one.name)
        whole[one.name] = plain("" if value is None else value)
    return whole


def digest_of_data(spec: TemplateSpec, data: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a document was made of."""
    return hashlib.sha256(orjson.dumps(complete(spec, data), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask_apart(MODULE, request, seconds=SECONDS)
    except Refused as refused:
        raise refusal(refused.code, found=refused.found) from refused


def plain(value: Any) -> Any:
    """Return a value without the signs that no document may hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    return _UNWRITABLE.sub("", str(value))
