"""The addresses of ledgers and of spreadsheets into them."""

from __future__ import annotations

from django.urls import path

from web.doors.ledgers import imports, pages

ROUTES = [
    path("desk", pages.desk_page, name="desk"),
    path("desk/ledgers/views/<int:view_id>/delete", pages.drop_view, name="desk-view-delete"),
    path("desk/ledgers/<slug:key>", pages.list_page, name="desk-ledger"),
    path("desk/ledgers/<slug:key>/<int:pk>", pages.record_page, name="desk-ledger-record"),
    path("desk/ledgers/<slug:key>/pins.json", pages.pins, name="desk-ledger-pins"),
    path("desk/ledgers/<slug:key>/export", pages.export, name="desk-ledger-export"),
    path("desk/ledgers/<slug:key>/print", pages.print_page, name="desk-ledger-print"),
    path("desk/ledgers/<slug:key>/views", pages.keep_view, name="desk-ledger-keep"),
    path("desk/ledgers/<slug:key>/import", imports.upload_page, name="desk-ledger-import"),
    path("desk/ledgers/<slug:key>/import/template.xlsx", imports.template, name="desk-ledger-template"),
    path("desk/imports", imports.list_page, name="desk-imports"),
    path("desk/imports/<uuid:import_id>", imports.import_page, name="desk-import"),
    path("desk/imports/<uuid:import_id>/begin", imports.begin, name="desk-import-begin"),
    path("desk/imports/<uuid:import_id>/rows/<int:number>", imports.act_on_row, name="desk-import-row"),
    path("desk/imports/<uuid:import_id>/write", imports.write, name="desk-import-write"),
    path("desk/imports/<uuid:import_id>/stop", imports.stop, name="desk-import-stop"),
    path("desk/imports/<uuid:import_id>/discard", imports.discard, name="desk-import-discard"),
    path("desk/imports/<uuid:import_id>/refused.xlsx", imports.rows_to_mend, name="desk-import-refused"),
    path("desk/imports/<uuid:import_id>/mend", imports.mend_file, name="desk-import-mend"),
]
