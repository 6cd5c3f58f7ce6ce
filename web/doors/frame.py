"""The frame of the desk: which parts of it a person may open, in the order of the side navigation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from geo.scope import Scope
from services.access.queries import caller_of, holds_citywide, scope_for
from services.kernel.ledger.importing.queries import waiting_for
from services.kernel.ledger.queries import views_of
from services.kernel.ledger.registry import ledgers
from services.kernel.module.queries import ledgers_of_the_house, modules_for
from services.kernel.workflow.queries import tasks_waiting
from services.modules.selfreport.unconfirmed import own_waiting


class Entry(NamedTuple):
    """One part of the desk: the name of its first page, and the duty that opens it, '' for everyone who is signed in.

    ``citywide`` parts ask for the duty over the whole city. ``prefix`` is what the addresses of its pages begin with, '' where
    the first is the only one. ``waiting`` says how much there waits for the caller.
    """

    label: str
    icon: str
    page: str
    prefix: str
    duty: str = ""
    citywide: bool = False
    waiting: Callable[[Scope], int] | None = None


ENTRIES: Final = (
    Entry("办理首页", "house", "desk", ""),
    Entry("我的办件", "clipboard-list", "desk-cases", "/desk/cases", "cases.view", waiting=tasks_waiting),
    Entry("我的机构", "building-2", "my-places", "/my/places", "facilities.report", waiting=own_waiting),
    Entry("服务监管一张图", "map-pinned", "watch", "/watch", "watch.view"),
    Entry("余位确认情况", "clock", "desk-unconfirmed", "/desk/unconfirmed", "facilities.edit"),
    Entry("导入", "upload", "desk-imports", "/desk/imports", "facilities.edit", waiting=waiting_for),
    Entry("地址冲突与检查", "map-pinned", "desk-address-conflicts", "/desk/addresses", "addresses.edit"),
    Entry("表单", "list", "desk-submissions", "/desk/forms", "forms.view"),
    Entry("消息", "bell", "desk-messages", "/desk/messages"),
    Entry("通知公告", "flag", "desk-notices", "/desk/notices"),
    Entry("知识库", "book-open", "desk-knowledge", "/desk/knowledge", "knowledge.view"),
    Entry("短信", "send", "desk-sms", "/desk/sms", "messages.view"),
    Entry("消息设置", "sliders-horizontal", "desk-message-settings", "/desk/message-settings", "messages.configure"),
    Entry("机构类别", "blocks", "desk-kinds", "/desk/kinds", "facilities.kinds"),
    Entry("查找设置", "funnel", "desk-arrangements", "/desk/finder", "settings.write", citywide=True),
    Entry("数据预加载", "map", "desk-preloads", "/desk/preloads", "settings.write", citywide=True),
    Entry("对口规划", "school", "plan", "/plan", "catchments.view"),
    Entry("规则", "table", "desk-rules", "/desk/rules", "rules.view"),
    Entry("事项设置", "route", "desk-matters", "/desk/matters", "cases.configure"),
    Entry("文书模板", "file-text", "desk-templates", "/desk/templates", "templates.edit"),
    Entry("工作日历", "calendar", "desk-calendar", "/desk/calendar"),
    Entry("账号和权限", "users", "desk-accounts", "/desk/accounts", "accounts.view"),
    Entry("接入平台", "route", "desk-clients", "/desk/clients", "clients.edit", citywide=True),
    Entry("业务日志", "scan-search", "desk-logs", "/desk/logs", "logs.view"),
    Entry("密码安全", "shield-check", "desk-security", "/desk/security", "security.check", citywide=True),
    Entry("申请入口", "landmark", "desk-apply-entries", "/desk/apply-entries", "settings.write", citywide=True),
    Entry("渠道", "qr-code", "desk-channels", "/desk/channels", "settings.write", citywide=True),
    Entry("系统设置", "settings", "settings", "/desk/settings", "settings.write", citywide=True),
)


class Shown(NamedTuple):
    """An entry as the navigation shows it."""

    label: str
    icon: str
    href: str
    now: bool
    waiting: int = 0


def entries_for(request: HttpRequest) -> list[Shown]:
    """Return the parts of the desk that the caller may open, the one the page belongs to marked."""
    scope = scope_for(request)
    return [
        Shown(
            entry.label,
            entry.icon,
            href,
            request.path.startswith(entry.prefix) if entry.prefix else request.path == href,
            entry.waiting(scope) if entry.waiting else 0,
        )
        for entry in ENTRIES
        for href in [reverse(entry.page)]
        if not entry.duty or (holds_citywide(scope, entry.duty) if entry.citywide else scope.holds(entry.duty))
    ]


def ledgers_shown(request: HttpRequest) -> list[Shown]:
    """Return the ledgers that the caller may open, less those that stand with their modules."""
    return [
        Shown(spec.title, spec.icon, href, request.path.startswith(href))
        for spec in ledgers_of_the_house(scope_for(request))
        for href in [reverse("desk-ledger", args=[spec.key])]
    ]


def modules_shown(request: HttpRequest) -> list[Shown]:
    """Return the business modules in which the caller may do something; one of them is marked on the pages of its ledgers too."""
    return [
        Shown(parts.module.spec.title, parts.module.spec.icon, pages[0], request.path.startswith(tuple(pages)))
        for parts in modules_for(scope_for(request))
        for pages in [
            [
                reverse("desk-module", args=[parts.module.spec.key]),
                *(reverse("desk-ledger", args=[spec.key]) for spec in parts.ledgers),
            ]
        ]
    ]


def views_for(request: HttpRequest) -> list[Shown]:
    """Return the views that the caller keeps, of ledgers that there still are."""
    user = caller_of(request).user
    return [
        Shown(view.name, ledgers()[view.ledger].icon, href, request.get_full_path() == href)
        for view in (views_of(user) if user else [])
        if view.ledger in ledgers()
        for href in [f"{reverse('desk-ledger', args=[view.ledger])}?{view.query}"]
    ]
