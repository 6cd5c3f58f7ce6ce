"""The addresses of messages, notices and knowledge."""

from __future__ import annotations

from django.urls import path

from web.doors.messages import composing, inbox, knowledge, notices, outbox, settings

ROUTES = [
    path("desk/messages", inbox.inbox, name="desk-messages"),
    path("desk/messages/read", inbox.read_all, name="desk-messages-read-all"),
    path("desk/messages/phone", inbox.phone, name="desk-messages-phone"),
    path("desk/messages/<uuid:message_id>/read", inbox.read, name="desk-message-read"),
    path("desk/sms", outbox.outbox, name="desk-sms"),
    path("desk/sms/new", composing.compose, name="desk-sms-new"),
    path("desk/sms/find", outbox.find, name="desk-sms-find"),
    path("desk/sms/<uuid:delivery_id>", outbox.delivery, name="desk-sms-one"),
    path("desk/sms/<uuid:delivery_id>/cancel", outbox.cancel, name="desk-sms-cancel"),
    path("desk/sms/<uuid:delivery_id>/again", outbox.again, name="desk-sms-again"),
    path("desk/sms/<uuid:delivery_id>/reveal", outbox.reveal, name="desk-sms-reveal"),
    path("desk/message-settings", settings.overview, name="desk-message-settings"),
    path("desk/message-settings/rule", settings.set_rule, name="desk-message-rule"),
    path("desk/message-settings/<str:event>/choose", settings.set_event, name="desk-message-event"),
    path("desk/message-settings/<str:event>/<slug:channel>", settings.template, name="desk-message-template"),
    path("notices", notices.public_list, name="notices"),
    path("notices/<uuid:notice_id>", notices.public_one, name="notice"),
    path("desk/notices", notices.desk_list, name="desk-notices"),
    path("desk/notices/new", notices.write, name="desk-notice-new"),
    path("desk/notices/<uuid:notice_id>", notices.desk_one, name="desk-notice"),
    path("desk/notices/<uuid:notice_id>/edit", notices.write, name="desk-notice-edit"),
    path("desk/notices/<uuid:notice_id>/publish", notices.publish, name="desk-notice-publish"),
    path("desk/notices/<uuid:notice_id>/withdraw", notices.withdraw, name="desk-notice-withdraw"),
    path("desk/knowledge", knowledge.list_page, name="desk-knowledge"),
    path("desk/knowledge/new", knowledge.write, name="desk-knowledge-new"),
    path("desk/knowledge/<uuid:page_id>", knowledge.one, name="desk-knowledge-one"),
    path("desk/knowledge/<uuid:page_id>/file", knowledge.file, name="desk-knowledge-file"),
    path("desk/knowledge/<uuid:page_id>/edit", knowledge.write, name="desk-knowledge-edit"),
    path("desk/knowledge/<uuid:page_id>/delete", knowledge.delete, name="desk-knowledge-delete"),
    path("desk/knowledge/<uuid:page_id>/restore", knowledge.restore, name="desk-knowledge-restore"),
]
