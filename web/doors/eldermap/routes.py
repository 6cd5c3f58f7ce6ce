"""The addresses of 养老一张图 and of what elders and their families say there."""

from __future__ import annotations

from django.urls import path

from web.doors.eldermap import apply, apply_entries, assistant, messages, mine, pages, supply

ROUTES = [
    path("elder", pages.elder_map, name="elder-map"),
    *supply.ROUTES,
    path("elder/mine", mine.mine, name="elder-mine"),
    path("elder/messages", messages.inbox, name="elder-messages"),
    path("elder/messages/read", messages.read_all, name="elder-messages-read-all"),
    path("elder/messages/<uuid:message_id>/read", messages.read, name="elder-message-read"),
    path("elder/assistant", assistant.assistant, name="elder-assistant"),
    path("places/<int:place_id>/apply", apply.apply_page, name="place-apply"),
    path("desk/apply-entries", apply_entries.entries_page, name="desk-apply-entries"),
]
