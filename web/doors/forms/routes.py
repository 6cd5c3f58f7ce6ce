"""The addresses of forms: filling in, composing, the library, and what was handed in."""

from __future__ import annotations

from django.urls import path

from web.doors.forms import design, desk, filling, item, library

ROUTES = [
    path("forms", filling.list_page, name="forms"),
    path("forms/fill/<uuid:submission_id>", filling.fill_page, name="form-fill"),
    path("forms/fill/<uuid:submission_id>/preview", filling.preview_page, name="form-preview"),
    path("forms/fill/<uuid:submission_id>/move", filling.move, name="form-move"),
    path("forms/fill/<uuid:submission_id>/discard", filling.discard, name="form-discard"),
    path("forms/fill/<uuid:submission_id>/pdf", filling.pdf, name="form-pdf"),
    path("forms/<slug:key>", filling.start_page, name="form-start"),
    path("desk/forms", design.overview, name="desk-forms"),
    path("desk/forms/library", library.fields_page, name="desk-form-fields"),
    path("desk/forms/library/fields/new", library.field_page, name="desk-form-field-new"),
    path("desk/forms/library/fields/<slug:key>", library.field_page, name="desk-form-field"),
    path("desk/forms/library/dictionaries/new", library.add_dictionary_page, name="desk-form-dictionary-new"),
    path("desk/forms/library/dictionaries/<slug:key>", library.dictionary_page, name="desk-form-dictionary"),
    path("desk/forms/certificates", library.catalogue_page, name="desk-form-certificates"),
    path("desk/forms/certificates/new", library.certificate_page, name="desk-form-certificate-new"),
    path("desk/forms/certificates/<slug:code>", library.certificate_page, name="desk-form-certificate"),
    path("desk/forms/versions/<int:version_id>", design.version_page, name="desk-form-version"),
    path("desk/forms/versions/<int:version_id>/place", design.place, name="desk-form-place"),
    path("desk/forms/versions/<int:version_id>/preview", design.preview_page, name="desk-form-preview"),
    path("desk/forms/versions/<int:version_id>/pdf", design.pdf, name="desk-form-pdf"),
    path("desk/forms/versions/<int:version_id>/items/<slug:key>", item.item_page, name="desk-form-item"),
    path(
        "desk/forms/versions/<int:version_id>/compare/<int:other_id>",
        design.compare_page,
        name="desk-form-compare",
    ),
    path("desk/forms/of/<slug:key>/<slug:entry>", design.versions_page, name="desk-form"),
    path("desk/forms/submissions", desk.list_page, name="desk-submissions"),
    path("desk/forms/submissions/<uuid:submission_id>", desk.one_page, name="desk-submission"),
]
