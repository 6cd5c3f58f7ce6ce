"""The addresses of forms: filling in, composing, the library, and what was handed in."""

from __future__ import annotations

from django.urls import path

from web.doors import form_design, form_desk, form_item, form_library, forms

ROUTES = [
    path("forms", forms.list_page, name="forms"),
    path("forms/fill/<uuid:submission_id>", forms.fill_page, name="form-fill"),
    path("forms/fill/<uuid:submission_id>/preview", forms.preview_page, name="form-preview"),
    path("forms/fill/<uuid:submission_id>/move", forms.move, name="form-move"),
    path("forms/fill/<uuid:submission_id>/discard", forms.discard, name="form-discard"),
    path("forms/fill/<uuid:submission_id>/pdf", forms.pdf, name="form-pdf"),
    path("forms/<slug:key>", forms.start_page, name="form-start"),
    path("desk/forms", form_design.overview, name="desk-forms"),
    path("desk/forms/library", form_library.fields_page, name="desk-form-fields"),
    path("desk/forms/library/fields/new", form_library.field_page, name="desk-form-field-new"),
    path("desk/forms/library/fields/<slug:key>", form_library.field_page, name="desk-form-field"),
    path("desk/forms/library/dictionaries/new", form_library.add_dictionary_page, name="desk-form-dictionary-new"),
    path("desk/forms/library/dictionaries/<slug:key>", form_library.dictionary_page, name="desk-form-dictionary"),
    path("desk/forms/certificates", form_library.catalogue_page, name="desk-form-certificates"),
    path("desk/forms/certificates/new", form_library.certificate_page, name="desk-form-certificate-new"),
    path("desk/forms/certificates/<slug:code>", form_library.certificate_page, name="desk-form-certificate"),
    path("desk/forms/versions/<int:version_id>", form_design.version_page, name="desk-form-version"),
    path("desk/forms/versions/<int:version_id>/place", form_design.place, name="desk-form-place"),
    path("desk/forms/versions/<int:version_id>/preview", form_design.preview_page, name="desk-form-preview"),
    path("desk/forms/versions/<int:version_id>/pdf", form_design.pdf, name="desk-form-pdf"),
    path("desk/forms/versions/<int:version_id>/items/<slug:key>", form_item.item_page, name="desk-form-item"),
    path(
        "desk/forms/versions/<int:version_id>/compare/<int:other_id>",
        form_design.compare_page,
        name="desk-form-compare",
    ),
    path("desk/forms/of/<slug:key>/<slug:entry>", form_design.versions_page, name="desk-form"),
    path("desk/forms/submissions", form_desk.list_page, name="desk-submissions"),
    path("desk/forms/submissions/<uuid:submission_id>", form_desk.one_page, name="desk-submission"),
]
