"""Reads of sources and runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from geo.imports.models import Family, ImportRun, Provenance, Source

# Every page asks these: written out they take a tenth of the time that putting them together does.
_INVENTED: Final = """
    SELECT EXISTS (
        SELECT FROM imports_source WHERE published_at IS NOT NULL AND retired_at IS NULL AND provenance = %s)"""
_STAMPS: Final = """
    SELECT key, published_at, retired_at FROM imports_source
    WHERE family = ANY(%s::varchar[]) AND published_at IS NOT NULL ORDER BY key"""
_ATTRIBUTIONS: Final = """
    SELECT attribution FROM imports_source
    WHERE published_at IS NOT NULL AND retired_at IS NULL AND attribution <> '' ORDER BY id"""


def published_sources(family: Family | None = None) -> QuerySet[Source]:
    """Return the sources whose rows are on the map now, of one family or of all."""
    sources = Source.objects.filter(published_at__isnull=False, retired_at__isnull=True)
    return sources.filter(family=family) if family else sources


def shows_invented() -> bool:
    """Say whether anything invented is published: while it is, every page and answer says so."""
    with connection.cursor() as cursor:
        cursor.execute(_INVENTED, [Provenance.INVENTED.value])
        return bool(cursor.fetchone()[0])


def runs_of(source: Source) -> QuerySet[ImportRun]:
    """Return the runs of a source, newest first."""
    return ImportRun.objects.filter(source=source)


def edition_of(families: Iterable[str]) -> str:
    """Return a text that changes whenever rows of one of the families are published or retired; caches are keyed by it."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMPS, [list(families)])
        return hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()[:16]


def attribution() -> str:
    """Return whom a map or a tile must name: those whom the published sources name, each once; empty for nobody."""
    with connection.cursor() as cursor:
        cursor.execute(_ATTRIBUTIONS)
        said = [each for (each,) in cursor.fetchall()]
    return "；".join(dict.fromkeys(name.strip() for each in said for name in each.split("；")))
