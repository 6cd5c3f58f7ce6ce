"""The addresses of attachments and templates of documents."""

from __future__ import annotations

from django.urls import path

from web.doors.files import pages, templates

ROUTES = [
    path("desk/files/upload", pages.upload, name="file-upload"),
    path("desk/files/make", pages.make, name="file-make"),
    path("desk/files/of/<slug:kind>/<slug:owner_id>", pages.owner_page, name="owner-files"),
    path("desk/files/<uuid:file_id>", pages.file_page, name="file"),
    path("desk/files/<uuid:file_id>/replace", pages.replace, name="file-replace"),
    path("desk/files/<uuid:file_id>/remove", pages.remove, name="file-remove"),
    path("desk/files/<uuid:file_id>/restore", pages.restore, name="file-restore"),
    path("files/<uuid:file_id>/content", pages.content, name="file-content"),
    path("files/<uuid:file_id>/pages/<int:page>", pages.page_picture, name="file-picture"),
    path("desk/templates", templates.templates_page, name="desk-templates"),
    path("desk/templates/versions/<int:version_id>/publish", templates.publish, name="desk-template-publish"),
    path("desk/templates/versions/<int:version_id>/delete", templates.delete, name="desk-template-delete"),
    path("desk/templates/<slug:key>", templates.template_page, name="desk-template"),
    path("desk/templates/<slug:key>/upload", templates.upload, name="desk-template-upload"),
    path("desk/templates/<slug:key>/withdraw", templates.withdraw, name="desk-template-withdraw"),
    path("desk/templates/<slug:key>/sample", templates.sample, name="desk-template-sample"),
    path("desk/templates/<slug:key>/text", templates.text, name="desk-template-text"),
]
