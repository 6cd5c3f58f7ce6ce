"""Reads of the library: as pure values for composing and filling, and as rows for those who keep or look through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.db.models import Q, QuerySet

from geo.errors import NotFound
from geo.scope import Scope
from services.access.queries import check_duty
from services.kernel.forms.composing import Library
from services.kernel.forms.composing.snapshots import checks_from, field_from
from services.kernel.forms.models import Certificate, CertificateVersion, DictionaryTerm, FormDictionary, LibraryField
from services.kernel.forms.spec import Certificate as CertificateValue
from services.kernel.forms.spec import Change, Dictionary, Field, FieldKind, Term

VIEW, CONFIGURE, LIBRARY = "forms.view", "forms.configure", "forms.library"
CATEGORIES, MATTERS = "certificate_category", "matter"


def library_now() -> Library:
    """Return what forms may be composed of today: what is in use, dictionaries with their withdrawn terms."""
    rows = LibraryField.objects.filter(active=True).select_related("dictionary")
    return Library(
        {row.key: field_value(row) for row in rows},
        {row.code: certificate_value(row) for row in Certificate.objects.filter(active=True)},
        dictionaries_now(),
    )


def dictionaries_now(keys: Iterable[str] | None = None) -> dict[str, Dictionary]:
    """Return dictionaries as they stand, all or those named, by key."""
    terms = DictionaryTerm.objects.order_by("position", "id")
    if keys is not None:
        terms = terms.filter(dictionary__key__in=list(keys))
    found: dict[str, list[Term]] = {}
    titles: dict[str, str] = {}
    rows = terms.values_list("dictionary__key", "dictionary__title", "code", "label", "active")
    for key, title, code, label, active in rows:
        titles[key] = title
        found.setdefault(key, []).append(Term(code, label, active))
    return {key: Dictionary(key, titles[key], tuple(lines)) for key, lines in found.items()}


def field_value(row: LibraryField) -> Field:
    """Return a row of the library as the value forms are composed of."""
    options = field_from({"key": row.key, "label": row.label, **row.options})
    checks = checks_from({**row.checks, "required": row.required})
    return Field(
        key=row.key,
        label=row.label,
        kind=cast(FieldKind, row.kind),
        checks=checks,
        dictionary=row.dictionary.key if row.dictionary else "",
        help=row.help,
        unit=options.unit,
        sensitive=row.sensitive,
        places=options.places,
        level=options.level or "district",
        facility_kind=options.facility_kind,
        columns=options.columns,
        changes=cast(tuple[Change, ...], tuple(row.changes)),
        group=row.group,
    )


def certificate_value(row: Certificate) -> CertificateValue:
    """Return a row of the library as the value forms are composed of."""
    return CertificateValue(
        code=row.code,
        name=row.name,
        category=row.category,
        description=row.description,
        least=row.least,
        most=row.most,
        types=tuple(row.types),
        most_bytes=row.most_bytes,
        valid_months=row.valid_months,
        medium=row.medium,
        issuer=row.issuer,
        matters=tuple(row.matters),
        sensitive=row.sensitive,
        changes=cast(tuple[Change, ...], tuple(row.changes)),
    )


def field_rows(*, scope: Scope) -> QuerySet[LibraryField]:
    """Return all fields of the library to those who configure forms or keep the library."""
    check_duty(scope, CONFIGURE)
    return LibraryField.objects.select_related("dictionary")


def dictionary_rows(*, scope: Scope) -> QuerySet[FormDictionary]:
    """Return all dictionaries to those who configure forms or keep the library."""
    check_duty(scope, CONFIGURE)
    return FormDictionary.objects.prefetch_related("terms")


def certificates_found(
    *, scope: Scope, text: str = "", category: str = "", matter: str = "", medium: str = "", active: bool | None = True
) -> QuerySet[Certificate]:
    """Return the certificates that a clerk looks for: by words of code, name, description and issuer; by category, matter,
    medium."""
    check_duty(scope, VIEW)
    rows = Certificate.objects.all()
    for word in text[:100].split():
        holds = (
            Q(name__icontains=word)
            | Q(code__icontains=word)
            | Q(description__icontains=word)
            | Q(issuer__icontains=word)
        )
        rows = rows.filter(holds)
    if category:
        rows = rows.filter(category=category)
    if matter:
        rows = rows.filter(matters__contains=[matter])
    if medium:
        rows = rows.filter(medium=medium)
    return rows if active is None else rows.filter(active=active)


def certificate_row(code: str, *, scope: Scope) -> Certificate:
    """Return one certificate to those who may look through the library. Raises ``NotFound``."""
    check_duty(scope, VIEW)
    row = Certificate.objects.filter(code=code).first()
    if row is None:
        raise NotFound("certificate_unknown", "没有这种材料，可能编码写错了。可以按名称再找一次。")
    return row


def certificate_versions(row: Certificate) -> list[CertificateVersion]:
    """Return every wording of a certificate, the newest first."""
    return list(row.versions.order_by("-number"))
