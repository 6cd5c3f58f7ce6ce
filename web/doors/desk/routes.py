"""The addresses of the desk itself: settings, modules, the calendar, security."""

from __future__ import annotations

from django.urls import path

from web.doors.desk import calendar, modules, security, settings

ROUTES = [
    path("desk/modules/<slug:key>", modules.module_page, name="desk-module"),
    path("desk/settings", settings.settings_page, name="settings"),
    path("desk/security", security.security_page, name="desk-security"),
    path("desk/security/check", security.check_now, name="desk-security-check"),
    path("desk/calendar", calendar.year_page, name="desk-calendar"),
    path("desk/calendar/day", calendar.keep, name="desk-calendar-keep"),
    path("desk/calendar/notice", calendar.read, name="desk-calendar-read"),
]
