"""The addresses of cases and matters, at the desk and for who applied."""

from __future__ import annotations

from django.urls import path

from web.doors.cases import applying, flow_editor, flows, inbox, matter_catalogue, pages, pools

ROUTES = [
    path("desk/cases", inbox.inbox_page, name="desk-cases"),
    path("desk/cases/bulk", inbox.bulk, name="desk-cases-bulk"),
    path("desk/cases/pool", inbox.pool_page, name="desk-cases-pool"),
    path("desk/cases/pools", pools.pool_page, name="desk-pools"),
    path("desk/cases/pool/share-out", inbox.share_out, name="desk-cases-share-out"),
    path("desk/cases/pool/log", inbox.log_page, name="desk-cases-log"),
    path("desk/cases/deputies", inbox.deputies, name="desk-deputies"),
    path("desk/cases/of/<int:pk>", pages.case_of, name="desk-case-of"),
    path("desk/cases/<uuid:uid>", pages.case_page, name="desk-case"),
    path("desk/cases/<uuid:uid>/watch", pages.watch, name="desk-case-watch"),
    path("desk/cases/<uuid:uid>/<slug:act>", pages.act_on, name="desk-case-act"),
    path("desk/matters", flows.matters_page, name="desk-matters"),
    path("desk/matters/papers", matter_catalogue.papers_page, name="desk-matter-papers"),
    path("desk/matters/catalogue", matter_catalogue.catalogue_page, name="desk-matter-catalogue"),
    path("desk/matters/templates", matter_catalogue.templates_page, name="desk-matter-templates"),
    path("desk/matters/templates/new", matter_catalogue.template_page, name="desk-matter-template-new"),
    path("desk/matters/templates/<slug:code>", matter_catalogue.template_page, name="desk-matter-template"),
    path("desk/matters/<slug:matter>", flows.matter_page, name="desk-matter"),
    path("desk/matters/<slug:matter>/review", flows.set_review, name="desk-matter-review"),
    path("desk/matters/<slug:matter>/set", flows.set_matter, name="desk-matter-set"),
    path("desk/matters/<slug:matter>/steps/<slug:step>", flows.set_step, name="desk-matter-step"),
    path("desk/matters/<slug:matter>/flows", flows.save_flow, name="desk-flow-save"),
    path("desk/matters/<slug:matter>/compare", flows.compare_page, name="desk-flow-compare"),
    path("desk/flows/<int:version_id>.bpmn", flows.diagram, name="desk-flow-file"),
    path("desk/flows/<int:version_id>/<slug:act>", flows.act_on_flow, name="desk-flow-act"),
    path("desk/flows/moves/<uuid:job_id>", flows.move_report, name="desk-flow-moves"),
    path("my/cases", pages.my_list, name="my-cases"),
    path("my/cases/new/<slug:matter>", applying.apply, name="case-new"),
    path("my/cases/<uuid:uid>", pages.my_case, name="my-case"),
    path("my/cases/<uuid:uid>/<slug:act>", pages.my_act, name="my-case-act"),
    path("desk/flows/<slug:matter>/draw", flow_editor.draw, name="desk-flow-draw"),
    path("desk/flows/<slug:matter>/check", flow_editor.check, name="desk-flow-check"),
    path("desk/flows/<slug:matter>/keep", flow_editor.keep, name="desk-flow-keep"),
]
