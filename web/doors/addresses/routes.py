"""The addresses of addresses: the desk, and the tools that convert and standardise."""

from __future__ import annotations

from django.urls import path

from web.doors.addresses import batches, convert, register, reviews, standardise

ROUTES = [
    path("tools/convert", convert.convert_page, name="convert"),
    path("tools/standardise", standardise.standardise_page, name="standardise"),
    path("tools/standardise/batches", batches.batches_page, name="batches"),
    path("tools/standardise/batches/<uuid:batch_id>", batches.batch_page, name="batch"),
    path("tools/standardise/batches/<uuid:batch_id>/start", batches.start, name="batch-start"),
    path("tools/standardise/batches/<uuid:batch_id>/stop", batches.stop, name="batch-stop"),
    path("tools/standardise/batches/<uuid:batch_id>/go-on", batches.go_on, name="batch-go-on"),
    path("tools/standardise/batches/<uuid:batch_id>/delete", batches.remove, name="batch-delete"),
    path("tools/standardise/batches/<uuid:batch_id>/result", batches.result, name="batch-result"),
    path("desk/addresses", register.list_page, name="desk-addresses"),
    path("desk/addresses/new", register.add_page, name="desk-address-add"),
    path("desk/addresses/read", register.read_text, name="desk-address-read"),
    path("desk/addresses/conflicts", reviews.conflicts_page, name="desk-address-conflicts"),
    path("desk/addresses/conflicts/search", reviews.search_conflicts, name="desk-address-conflicts-search"),
    path("desk/addresses/conflicts/<int:conflict_id>", reviews.decide, name="desk-address-decide"),
    path("desk/addresses/audit", reviews.audit_page, name="desk-address-audit"),
    path("desk/addresses/audit/start", reviews.start_audit, name="desk-address-audit-start"),
    path("desk/addresses/audit.csv", reviews.audit_file, name="desk-address-audit-file"),
    path("desk/addresses/<int:address_id>", register.address_page, name="desk-address"),
    path("desk/addresses/<int:address_id>/undo/<int:change_id>", register.undo, name="desk-address-undo"),
    *(
        path(f"desk/addresses/<int:address_id>/{act}", register.act_on, {"act": act}, name=f"desk-address-{act}")
        for act in register.ACTS
    ),
]
