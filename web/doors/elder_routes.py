"""The addresses of 养老一张图 and of what elders and their families keep and say there."""

from __future__ import annotations

from django.urls import path

from web.doors import elder_messages, elder_mine, find

ROUTES = [
    path("elder", find.elder_map, name="elder-map"),
    path("elder/mine", elder_mine.mine, name="elder-mine"),
    path("elder/messages", elder_messages.inbox, name="elder-messages"),
    path("elder/messages/read", elder_messages.read_all, name="elder-messages-read-all"),
    path("elder/messages/<uuid:message_id>/read", elder_messages.read, name="elder-message-read"),
]
