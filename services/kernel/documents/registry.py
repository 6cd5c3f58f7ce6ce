"""What the apps have declared: kinds of owners with their purposes, and templates, each under a key of its own."""

from __future__ import annotations

from typing import Final

from geo.errors import NotFound
from services.kernel.documents.spec import FileType, Owner, OwnerKind, Purpose, TemplateSpec

DOCUMENT: Final = Purpose(
    key="document", name="文书", types=frozenset({FileType.PDF, FileType.DOCX}), most_files=200, made=True
)
"""What was made from a template; every kind of owner has this purpose beside its own."""

_OWNERS: dict[str, OwnerKind] = {}
_TEMPLATES: dict[str, TemplateSpec] = {}


def register_owner(kind: OwnerKind) -> OwnerKind:
    """Declare a kind of owner. Raises ``ValueError`` when its key, or one of its purposes, is declared twice."""
    keys = [DOCUMENT.key, *(purpose.key for purpose in kind.purposes)]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a purpose of {kind.key} is declared twice")
    if _OWNERS.setdefault(kind.key, kind) is not kind:
        raise ValueError(f"owners {kind.key} are declared twice")
    return kind


def register_template(spec: TemplateSpec) -> TemplateSpec:
    """Declare a template. Raises ``ValueError`` for a key declared twice, or a sample that lacks a required field."""
    missing = [one.name for one in spec.fields if one.required and one.name not in spec.sample]
    if missing:
        raise ValueError(f"the sample of {spec.key} lacks {missing}")
    if spec.source.suffix not in (".typ", ".docx"):
        raise ValueError(f"{spec.key} is neither .typ nor .docx")
    if _TEMPLATES.setdefault(spec.key, spec) is not spec:
        raise ValueError(f"template {spec.key} is declared twice")
    return spec


def owner_kind(key: str) -> OwnerKind:
    """Return a declared kind of owner. Raises ``NotFound``."""
    if key not in _OWNERS:
        raise NotFound("owner_unknown", "没有找到这份文件所属的事项。")
    return _OWNERS[key]


def purpose_of(kind: OwnerKind, key: str, owner: Owner) -> Purpose:
    """Return a purpose of a kind of owner, or of this very owner. Raises ``NotFound``."""
    found = DOCUMENT if key == DOCUMENT.key else kind.purpose(key)
    found = found or next((one for one in owner.purposes if one.key == key), None)
    if found is None:
        raise NotFound("purpose_unknown", "没有这一项材料，请刷新页面后再试。")
    return found


def template_specs(owner: str | None = None) -> list[TemplateSpec]:
    """Return the declared templates, or those for one kind of owner, in the order of their titles."""
    found = (spec for spec in _TEMPLATES.values() if owner is None or spec.owner_kind == owner)
    return sorted(found, key=lambda spec: spec.title)


def template_spec(key: str) -> TemplateSpec:
    """Return a declared template. Raises ``NotFound``."""
    if key not in _TEMPLATES:
        raise NotFound("template_unknown", "没有这种文书模板。")
    return _TEMPLATES[key]
