"""The addresses of accounts, platforms that call us, a person's own data, and how somebody wants to read."""

from __future__ import annotations

from django.urls import path

from web.doors.account import accounts, clients, personal, preferences

ROUTES = [
    path("my/data", personal.data_page, name="my-data"),
    path("my/data/all", personal.read_page, name="my-data-read"),
    path("my/data/all.json", personal.take_away, name="my-data-json"),
    path("my/data/consent/<slug:purpose>", personal.consent, name="my-consent"),
    path("my/data/erase", personal.erase, name="my-erase"),
    path("desk/accounts", accounts.list_page, name="desk-accounts"),
    path("desk/accounts/new", accounts.add, name="desk-account-new"),
    path("desk/accounts/roles", accounts.roles_page, name="desk-roles"),
    path("desk/accounts/of/<str:username>", accounts.one, name="desk-account"),
    path("desk/accounts/of/<str:username>/<slug:act>", accounts.act, name="desk-account-act"),
    path("account/lend", accounts.lend, name="lend"),
    path("desk/clients", clients.list_page, name="desk-clients"),
    path("desk/clients/new", clients.add, name="desk-client-new"),
    path("desk/clients/<slug:app>", clients.one, name="desk-client"),
    path("desk/clients/<slug:app>/change", clients.change, name="desk-client-change"),
    path("desk/clients/<slug:app>/key", clients.make_key, name="desk-client-key"),
    path("desk/clients/<slug:app>/keys/<slug:label>/stop", clients.stop_key, name="desk-client-key-stop"),
    path("desk/clients/<slug:app>/turn", clients.turn, name="desk-client-turn"),
    path("view", preferences.choose_view, name="view"),
]
