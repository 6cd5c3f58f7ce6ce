"""The addresses of 养老一张图 and of what elders and their families keep and say there."""

from __future__ import annotations

from django.urls import path

from web.doors import (
    apply_entries,
    assistant,
    elder_apply,
    elder_messages,
    elder_mine,
    find,
    opinion_desk,
    opinions,
    pages,
)
from web.doors.channels import ROUTES as CHANNEL_ROUTES
from web.doors.supply import ROUTES as SUPPLY_ROUTES

ROUTES = [
    *CHANNEL_ROUTES,
    *SUPPLY_ROUTES,
    path("elder", find.elder_map, name="elder-map"),
    path("elder/mine", elder_mine.mine, name="elder-mine"),
    path("elder/messages", elder_messages.inbox, name="elder-messages"),
    path("elder/messages/read", elder_messages.read_all, name="elder-messages-read-all"),
    path("elder/messages/<uuid:message_id>/read", elder_messages.read, name="elder-message-read"),
    path("elder/assistant", assistant.assistant, name="elder-assistant"),
    path("help/elder", pages.help_elder, name="help-elder"),
    path("help/channels", pages.help_channels, name="help-channels"),
    path("elder/comments", opinions.my_comments, name="elder-comments"),
    path("elder/suggestions", opinions.suggestions, name="elder-suggestions"),
    path("places/<int:place_id>/apply", elder_apply.apply_page, name="place-apply"),
    path("places/<int:place_id>/comments", opinions.comments_page, name="place-comments"),
    path("places/<int:place_id>/comment", opinions.comment_page, name="place-comment"),
    path("comments/<int:comment_id>/flag", opinions.flag, name="comment-flag"),
    path("comments/<int:comment_id>/reply", opinions.reply, name="comment-reply"),
    path("desk/apply-entries", apply_entries.entries_page, name="desk-apply-entries"),
    path("desk/comments/<int:comment_id>", opinion_desk.comment_page, name="desk-comment"),
    path("desk/suggestions/<int:suggestion_id>", opinion_desk.suggestion_page, name="desk-suggestion"),
]
