"""What happens to the editions of the invented city when a real one is published: they go with its kindergartens."""

from __future__ import annotations

from django.db.models import F

from geo.imports.importer import concludes
from geo.imports.models import Family, Provenance
from geo.imports.queries import published_sources
from services.catchments.models import CatchmentEdition


@concludes
def drop_invented_editions() -> str:
    """Delete invented editions that nobody worked on once no invented kindergarten is published, in the same act."""
    if published_sources(Family.FACILITIES).filter(provenance=Provenance.INVENTED).exists():
        return ""
    stale = CatchmentEdition.objects.filter(invented=True, changed_by=F("made_by"))
    keys = list(stale.values_list("pk", flat=True))
    if not keys:
        return ""
    CatchmentEdition.objects.filter(begun_from__in=keys).update(begun_from=None)
    stale.filter(pk__in=keys).delete()
    return f"演示的对口版本已删除 {len(keys)} 个。"
