"""Reads of sources and runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db.models import QuerySet

from geo.imports.models import Family, ImportRun, Provenance, Source


def published_sources(family: Family | None = None) -> QuerySet[Source]:
    """Return the sources whose rows are on the map now, of one family or of all."""
    sources = Source.objects.filter(published_at__isnull=False, retired_at__isnull=True)
    return sources.filter(family=family) if family else sources


def shows_invented() -> bool:
    """Say whether anything invented is published: while it is, every page and answer says so."""
    return published_sources().filter(provenance=Provenance.INVENTED).exists()


def runs_of(source: Source) -> QuerySet[ImportRun]:
    """Return the runs of a source, newest first."""
    return ImportRun.objects.filter(source=source)


def edition_of(families: Iterable[str]) -> str:
    """Return a text that changes whenever rows of one of the families are published or retired; caches are keyed by it."""
    stamps = (
        Source.objects.filter(family__in=list(families), published_at__isnull=False)
        .order_by("key")
        .values_list("key", "published_at", "retired_at")
    )
    return hashlib.sha256(repr(list(stamps)).encode()).hexdigest()[:16]


def attribution() -> str:
    """Return whom a map or a tile must name: those whom the published sources name, each once; empty for nobody."""
    said = published_sources().exclude(attribution="").order_by("id").values_list("attribution", flat=True)
    return "；".join(dict.fromkeys(name.strip() for each in said for name in each.split("；")))
