"""The addresses of preloading."""

from __future__ import annotations

from django.urls import path

from web.doors import preloading

ROUTES = [
    path("desk/preloads", preloading.list_page, name="desk-preloads"),
    path("desk/preloads/new", preloading.add, name="desk-preload-new"),
    path("desk/preloads/archives/<slug:key>", preloading.act_on_archive, name="desk-archive"),
    path("desk/preloads/<int:preload_id>", preloading.one, name="desk-preload"),
    path("desk/preloads/<int:preload_id>/run", preloading.run, name="desk-preload-run"),
    path("desk/preloads/<int:preload_id>/stop", preloading.stop, name="desk-preload-stop"),
    path("desk/preloads/<int:preload_id>/delete", preloading.delete, name="desk-preload-delete"),
]
