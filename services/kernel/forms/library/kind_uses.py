"""Which forms ask for places of one kind of facility: that kind is not deleted under them."""

from __future__ import annotations

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from services.kernel.forms.models import FormVersion, LibraryField, VersionState


def uses_of_kind(key: str) -> list[str]:
    """Return in words the fields of the library and the forms, drafts and those that were published, that name a kind."""
    fields = LibraryField.objects.filter(options__facility_kind=key).order_by("label").values_list("label", flat=True)
    said = f'"facility_kind": "{key}"'
    versions = FormVersion.objects.exclude(state=VersionState.WITHDRAWN).annotate(
        arranged=Cast("composition", TextField()), whole=Cast("definition", TextField())
    )
    forms = versions.filter(Q(arranged__contains=said) | Q(whole__contains=said)).order_by("form").distinct()
    return [*(f"字段“{label}”" for label in fields), *(f"表单 {form}" for form in forms.values_list("form", flat=True))]
