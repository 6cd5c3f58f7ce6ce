"""Writes of the library, by staff of the city: fields, dictionaries and certificates; and what the apps declare, put there
once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pghistory
from django.db import connection, transaction
from django.db.models import Max

from geo.errors import BadInput, Conflict, NotFound
from geo.scope import Scope
from services.access.queries import check_city_duty
from services.kernel.documents.spec import FileType
from services.kernel.forms.composing.changing import check_checks
from services.kernel.forms.composing.snapshots import snapshot_of
from services.kernel.forms.library.coding import check_code, next_code
from services.kernel.forms.library.queries import (
    CATEGORIES,
    LIBRARY,
    MATTERS,
    certificate_value,
    dictionaries_now,
)
from services.kernel.forms.models import (
    Certificate,
    CertificateVersion,
    DictionaryTerm,
    FormDictionary,
    LibraryField,
    Medium,
)
from services.kernel.forms.registry import declared
from services.kernel.forms.spec import ALL_CHANGES, KIND_NAMES, Field
from services.kernel.forms.spec import Certificate as CertificateValue

KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII)
CHANGED: Final = "您编辑期间有人改过这一项。请刷新后核对，再保存您的改动。"
MOST_TERMS: Final = 2_000
_OPTIONS: Final = ("unit", "places", "level", "facility_kind", "columns")
_DECLARED: Final = "系统"


def seed_library() -> None:
    """Write what the apps declare and is not there yet; what staff changed, or withdrew, stays as they left it."""
    tables = set(connection.introspection.table_names())
    if not {model._meta.db_table for model in (FormDictionary, DictionaryTerm, LibraryField, Certificate)} <= tables:
        return
    with transaction.atomic():
        _seed_dictionaries()
        _seed_fields()
        _seed_certificates()


def _seed_dictionaries() -> None:
    known = set(FormDictionary.objects.values_list("key", flat=True))
    fresh = [each for each in declared().dictionaries.values() if each.key not in known]
    rows = FormDictionary.objects.bulk_create(
        FormDictionary(key=each.key, title=each.title, position=position, changed_by=_DECLARED)
        for position, each in enumerate(fresh, len(known))
    )
    DictionaryTerm.objects.bulk_create(
        DictionaryTerm(dictionary=row, code=term.code, label=term.label, position=position, changed_by=_DECLARED)
        for row, each in zip(rows, fresh, strict=True)
        for position, term in enumerate(each.terms)
    )


def _seed_fields() -> None:
    known = set(LibraryField.objects.values_list("key", flat=True))
    dictionaries = dict(FormDictionary.objects.values_list("key", "pk"))
    LibraryField.objects.bulk_create(
        LibraryField(key=each.key, position=position, changed_by=_DECLARED, **_columns_of(each, dictionaries))
        for position, each in enumerate(declared().fields.values())
        if each.key not in known
    )


def _seed_certificates() -> None:
    known = set(Certificate.objects.values_list("code", flat=True))
    fresh = [each for each in declared().certificates.values() if each.code not in known]
    rows = Certificate.objects.bulk_create(
        Certificate(changed_by=_DECLARED, **_certificate_columns(each)) for each in fresh
    )
    CertificateVersion.objects.bulk_create(
        CertificateVersion(certificate=row, number=1, content=snapshot_of(each), note="首次编目", made_by=_DECLARED)
        for row, each in zip(rows, fresh, strict=True)
    )


@transaction.atomic
def save_field(*, field: Field, seen: int, active: bool = True, scope: Scope) -> LibraryField:
    """Add a field (``seen`` 0) or change the one of its key that the writer saw in version ``seen``.

    The key and the kind of a field that forms use stay. Raises ``BadInput``, ``Conflict``, ``Forbidden``.
    """
    check_city_duty(scope, LIBRARY)
    _check_field(field)
    dictionaries = dict(FormDictionary.objects.values_list("key", "pk"))
    row = LibraryField.objects.select_for_update().filter(key=field.key).first()
    if row is None:
        if seen:
            raise NotFound("field_unknown", "没有这个字段，可能已经改名。请刷新字段库。")
        position = (LibraryField.objects.aggregate(most=Max("position"))["most"] or 0) + 1
        row = LibraryField(key=field.key, position=position, version=0, kind=field.kind)
    elif not seen:
        raise Conflict("field_twice", f"字段代码“{field.key}”已经用过，请换一个。")
    _check_seen(row.version, seen)
    if row.kind != field.kind:
        raise Conflict("field_kind_fixed", "字段的类型不能改，已有的答案会读不懂。请停用它，另建一个新字段。")
    for name, value in _columns_of(field, dictionaries).items():
        setattr(row, name, value)
    _save(row, active, scope)
    return row


@transaction.atomic
def save_terms(*, dictionary: str, lines: list[tuple[str, str, bool]], seen: int, scope: Scope) -> FormDictionary:
    """Set the lines of a dictionary in their order: (code, label, in use). A code that is left out is withdrawn, never deleted.

    Raises ``BadInput``, ``Conflict``, ``Forbidden``.
    """
    check_city_duty(scope, LIBRARY)
    row = FormDictionary.objects.select_for_update().filter(key=dictionary).first()
    if row is None:
        raise NotFound("dictionary_unknown", "没有这份码表。")
    _check_seen(row.version, seen)
    _check_lines(lines)
    known = {term.code: term for term in row.terms.all()}
    with pghistory.context(actor=scope.actor):
        for position, (code, label, active) in enumerate(lines):
            term = known.pop(code, None) or DictionaryTerm(dictionary=row, code=code)
            said = (label.strip(), active, position)
            if (term.label, term.active, term.position) != said or term.pk is None:
                term.label, term.active, term.position = said
                term.changed_by = scope.actor
                term.save()
        for position, term in enumerate(known.values(), len(lines)):
            term.active, term.position, term.changed_by = False, position, scope.actor
            term.save()
    row.changed_by = scope.actor
    row.version += 1
    row.save()
    return row


@transaction.atomic
def add_dictionary(*, key: str, title: str, scope: Scope) -> FormDictionary:
    """Add an empty dictionary. Raises ``BadInput``, ``Conflict``, ``Forbidden``."""
    check_city_duty(scope, LIBRARY)
    if not KEY.fullmatch(key) or not title.strip():
        raise BadInput("dictionary_invalid", "码表代码要是小写字母、数字和下划线，以字母开头；名称不能空。")
    if FormDictionary.objects.filter(key=key).exists():
        raise Conflict("dictionary_twice", f"码表代码“{key}”已经用过，请换一个。")
    position = (FormDictionary.objects.aggregate(most=Max("position"))["most"] or 0) + 1
    return FormDictionary.objects.create(key=key, title=title.strip()[:60], position=position, changed_by=scope.actor)


@dataclass(frozen=True, slots=True)
class Kept:
    """A certificate after a save, and whether the save made a new version."""

    row: Certificate
    number: int
    fresh: bool


@transaction.atomic
def save_certificate(
    *, certificate: CertificateValue, seen: int, note: str = "", active: bool = True, domain: str = "", scope: Scope
) -> Kept:
    """Add a certificate (``seen`` 0; without a code the next one of ``domain`` and its category is given) or make a new version.

    Every change of what it says is a version of its own; the earlier ones stay. Raises ``BadInput``, ``Conflict``, ``Forbidden``.
    """
    check_city_duty(scope, LIBRARY)
    if not certificate.code and not seen:
        known = Certificate.objects.select_for_update().values_list("code", flat=True)
        certificate = replace(certificate, code=next_code(domain, certificate.category, list(known)))
    _check_certificate(certificate)
    row = Certificate.objects.select_for_update().filter(code=certificate.code).first()
    if row is None:
        if seen:
            raise NotFound("certificate_unknown", "没有这种材料，可能编码写错了。")
        row = Certificate(version=0, **_certificate_columns(certificate))
    elif not seen:
        raise Conflict("certificate_twice", f"材料编码“{certificate.code}”已经用过，请换一个。")
    _check_seen(row.version, seen)
    newest = row.versions.first() if row.pk else None
    same = newest is not None and certificate_value(row) == certificate
    if same and row.active == active:
        return Kept(row, newest.number if newest else 0, False)
    for name, value in _certificate_columns(certificate).items():
        setattr(row, name, value)
    _save(row, active, scope)
    if same and newest is not None:
        return Kept(row, newest.number, False)
    made = CertificateVersion.objects.create(
        certificate=row, number=(newest.number if newest else 0) + 1, content=snapshot_of(certificate),
        note=note.strip()[:200], made_by=scope.actor,
    )  # fmt: skip
    return Kept(row, made.number, True)


def _save(row: LibraryField | Certificate, active: bool, scope: Scope) -> None:
    row.active, row.changed_by, row.version = active, scope.actor, row.version + 1
    with pghistory.context(actor=scope.actor):
        row.save()


def _check_seen(now: int, seen: int) -> None:
    if now != seen:
        raise Conflict("library_changed", CHANGED, version=now)


def _check_field(field: Field) -> None:
    if not KEY.fullmatch(field.key):
        raise BadInput("field_key", "字段代码要是小写字母、数字和下划线，以字母开头，2 到 40 位。")
    if not field.label.strip() or len(field.label) > 60:
        raise BadInput("field_label", "请写字段名称，60 个字以内。")
    if field.kind not in KIND_NAMES:
        raise BadInput("field_kind", "请选择字段类型。")
    if field.kind in ("choice", "choices"):
        known = dictionaries_now([field.dictionary]) if field.dictionary else {}
        if not FormDictionary.objects.filter(key=field.dictionary).exists() or not known:
            raise BadInput("field_dictionary", "单选、多选字段要选一份有条目的码表。")
    elif field.dictionary:
        raise BadInput("field_dictionary", "只有单选、多选字段才用码表。")
    if field.kind == "group" and not 1 <= len(field.columns) <= 6:
        raise BadInput("field_columns", "多行表格要有 1 到 6 列。")
    sealable = ("text", "long_text", "phone", "identity", "name", "address", "day")
    if any(one.sensitive and one.kind not in sealable for one in (field, *field.columns)):
        raise BadInput("field_sensitive", "只有文字、手机号、证件号、姓名、地址和日期可以加密。")
    if set(field.changes) - set(ALL_CHANGES):
        raise BadInput("field_changes", "请从列出的几项里选区级可以调整什么。")
    check_checks(field)


def _check_lines(lines: list[tuple[str, str, bool]]) -> None:
    codes = [code for code, _, _ in lines]
    if len(lines) > MOST_TERMS:
        raise BadInput("terms_many", f"一份码表最多 {MOST_TERMS} 条。")
    if any(not re.fullmatch(r"[A-Za-z0-9_\-]{1,40}", code, re.ASCII) for code in codes):
        raise BadInput("term_code", "条目代码要由字母、数字、下划线或短横组成，40 位以内。")
    if len(set(codes)) != len(codes):
        raise BadInput("term_twice", "有两条用了同一个代码，请改掉一条。")
    if any(not label.strip() or len(label) > 80 for _, label, _ in lines):
        raise BadInput("term_label", "每一条都要有名称，80 个字以内。")


def _check_certificate(one: CertificateValue) -> None:
    dictionaries = dictionaries_now([CATEGORIES, MATTERS])
    category = dictionaries[CATEGORIES].term(one.category) if CATEGORIES in dictionaries else None
    if category is None or not category.active:
        raise BadInput("certificate_category", "请选择材料分类。")
    check_code(one.code, one.category)
    if not one.name.strip() or len(one.name) > 60 or len(one.description) > 300 or len(one.issuer) > 60:
        raise BadInput("certificate_words", "材料名称要在 1 到 60 个字之间，说明最多 300 个字，出具单位最多 60 个字。")
    if not 1 <= one.most <= 20 or not 0 <= one.least <= one.most:
        raise BadInput("certificate_count", "数量上限要在 1 到 20 之间，下限不能多于上限。")
    if not one.types or set(one.types) - {each.value for each in FileType}:
        raise BadInput("certificate_types", "请至少选一种文件格式。")
    if not 100_000 <= one.most_bytes <= 50_000_000:
        raise BadInput("certificate_size", "单个文件的上限要在 0.1 到 50 MB 之间。")
    if one.valid_months is not None and not 1 <= one.valid_months <= 600:
        raise BadInput("certificate_validity", "有效时限要在 1 到 600 个月之间，长期有效请留空。")
    if one.medium not in Medium.values or set(one.changes) - set(ALL_CHANGES):
        raise BadInput("certificate_choice", "请从列出的选项里选。")
    matters = dictionaries.get(MATTERS)
    if any(matters is None or matters.term(each) is None for each in one.matters):
        raise BadInput("certificate_matter", "请从列出的事项里选。")


def _columns_of(field: Field, dictionaries: Mapping[str, int]) -> dict[str, Any]:
    said = snapshot_of(field)
    checks = snapshot_of(field.checks)
    checks.pop("required", None)
    return {
        "label": field.label.strip(), "kind": field.kind, "group": field.group.strip()[:30],
        "dictionary_id": dictionaries[field.dictionary] if field.dictionary else None, "help": field.help.strip()[:300],
        "required": field.checks.required, "sensitive": field.sensitive, "checks": checks,
        "options": {name: said[name] for name in _OPTIONS if name in said}, "changes": list(field.changes),
    }  # fmt: skip


def _certificate_columns(one: CertificateValue) -> dict[str, Any]:
    return {
        "code": one.code, "name": one.name.strip(), "category": one.category, "description": one.description.strip(),
        "least": one.least, "most": one.most, "types": list(one.types), "most_bytes": one.most_bytes,
        "valid_months": one.valid_months, "medium": one.medium, "issuer": one.issuer.strip(), "matters": list(one.matters),
        "sensitive": one.sensitive, "changes": list(one.changes),
    }  # fmt: skip
