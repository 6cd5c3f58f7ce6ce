"""The addresses of what everybody reads: help and the page for developers."""

from __future__ import annotations

from django.urls import path

from web.doors.common import help_pages

ROUTES = [
    path("help", help_pages.help_page, name="help"),
    path("help/browse", help_pages.help_browse, name="help-browse"),
    path("help/addresses", help_pages.help_addresses, name="help-addresses"),
    path("help/messages", help_pages.help_messages, name="help-messages"),
    path("help/forms", help_pages.help_forms, name="help-forms"),
    path("help/ledgers", help_pages.help_ledgers, name="help-ledgers"),
    path("help/files", help_pages.help_files, name="help-files"),
    path("help/cases", help_pages.help_cases, name="help-cases"),
    path("help/access", help_pages.help_access, name="help-access"),
    path("help/rules", help_pages.help_rules, name="help-rules"),
    path("help/security", help_pages.help_security, name="help-security"),
    path("help/logs", help_pages.help_logs, name="help-logs"),
    path("help/advisers", help_pages.help_advisers, name="help-advisers"),
    path("help/imports", help_pages.help_imports, name="help-imports"),
    path("help/upkeep", help_pages.help_upkeep, name="help-upkeep"),
    path("developer", help_pages.developer_page, name="developer"),
    path("help/elder", help_pages.help_elder, name="help-elder"),
    path("help/channels", help_pages.help_channels, name="help-channels"),
]
