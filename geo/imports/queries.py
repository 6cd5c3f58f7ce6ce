"""Reads of sources and runs."""

from __future__ import annotations

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
