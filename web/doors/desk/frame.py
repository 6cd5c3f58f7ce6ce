"""The frame of the desk: which parts of it a person may open, in the order of the side navigation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from geo.scope import Scope
from services.access.queries import caller_of, holds_citywide, scope_for
from services.fencing.checkins.duties import ASSIGN, ATTEND, VIEW
from services.fencing.checkins.queries import waiting_for as waiting_checkins
from services.kernel.ledger.importing.queries import waiting_for
from services.kernel.ledger.queries import views_of
from services.kernel.ledger.registry import ledgers
from services.kernel.module.queries import ledgers_of_the_house, modules_for
from services.kernel.workflow.queries import tasks_waiting
from services.modules.islands.words import HOME as ISLAND
from services.modules.selfreport.unconfirmed import own_waiting


class Entry(NamedTuple):
    """One part of the desk: the name of its first page, and the duty that opens it, '' for everyone who is signed in.

    ``citywide`` parts ask for the duty over the whole city, others over the region of the path ``within``, '' for any.
    ``prefix`` is what the addresses of its pages begin with, '' where the first is the only one. ``waiting`` says how much there
    waits for the caller.
    """

    label: str
    icon: str
    page: str
    prefix: str
    duty: str = ""
    citywide: bool = False
    within: str = ""
    waiting: Callable[[Scope], int] | None = None


class Group(NamedTuple):
    """Parts of the desk that stand together under a title."""

    title: str
    entries: tuple[Entry, ...]


GROUPS: Final = (
    Group(
        "办理",
        (
            Entry("办理首页", "house", "desk", ""),
            Entry("我的办件", "clipboard-list", "desk-cases", "/desk/cases", "cases.view", waiting=tasks_waiting),
            Entry("我的机构", "building-2", "my-places", "/my/places", "facilities.report", waiting=own_waiting),
            Entry("我的上门", "footprints", "my-visits", "/my/visits", ATTEND),
            Entry("上门安排", "clipboard-list", "desk-visits", "/desk/visits", ASSIGN),
            Entry("上门打卡", "map-pin", "desk-checkins", "/desk/checkins", VIEW, waiting=waiting_checkins),
            Entry("消息", "bell", "desk-messages", "/desk/messages"),
        ),
    ),
    Group(
        "场所和地址",
        (
            Entry("服务监管一张图", "map-pinned", "watch", "/watch", "watch.view"),
            Entry("分区统计图", "chart-column", "watch-areas-home", "/watch/areas", "watch.view"),
            Entry("对口规划", "school", "plan", "/plan", "catchments.view"),
            Entry("围栏", "pentagon", "fences", "/plan/fences", "fences.view"),
            Entry("圈选", "search", "plan-select", "/plan/select", "resources.select"),
            Entry("服务盲区", "map-pinned", "gaps", "/plan/gaps", "gaps.view"),
            Entry("热力图", "layers", "heat", "/watch/heat", "watch.view"),
            Entry("空间分析", "squares-unite", "analysis", "/plan/analysis", "layers.view"),
            Entry("自建图层", "layers", "desk-datasets", "/desk/layers", "layers.view"),
            Entry("三维模型", "building", "desk-scenes", "/desk/scenes", "layers.view"),
            Entry("空间资源目录", "library", "catalogue", "/layers"),
            Entry("余位确认情况", "clock", "desk-unconfirmed", "/desk/unconfirmed", "facilities.edit"),
            Entry("导入", "upload", "desk-imports", "/desk/imports", "facilities.edit", waiting=waiting_for),
            Entry("地址冲突与检查", "map-pinned", "desk-address-conflicts", "/desk/addresses", "addresses.edit"),
            Entry("“一张图”对接", "refresh-cw", "desk-onemap", "/desk/onemap", "waste.edit"),
            Entry("尚岛图层管理", "map-pinned", "desk-islands", "/desk/islands", "islands.layers", within=ISLAND),
            Entry("机构类别", "blocks", "desk-kinds", "/desk/kinds", "facilities.kinds"),
            Entry("查找设置", "funnel", "desk-arrangements", "/desk/finder", "settings.write", citywide=True),
            Entry("申请入口", "landmark", "desk-apply-entries", "/desk/apply-entries", "settings.write", citywide=True),
            Entry("底图", "globe", "desk-basemaps", "/desk/basemaps", "settings.write", citywide=True),
            Entry("数据预加载", "map", "desk-preloads", "/desk/preloads", "settings.write", citywide=True),
        ),
    ),
    Group(
        "表单和规则",
        (
            Entry("表单", "list", "desk-submissions", "/desk/forms", "forms.view"),
            Entry("规则", "table", "desk-rules", "/desk/rules", "rules.view"),
            Entry("事项设置", "route", "desk-matters", "/desk/matters", "cases.configure"),
            Entry("文书模板", "file-text", "desk-templates", "/desk/templates", "templates.edit"),
            Entry("工作日历", "calendar", "desk-calendar", "/desk/calendar"),
        ),
    ),
    Group(
        "通知和短信",
        (
            Entry("通知公告", "flag", "desk-notices", "/desk/notices"),
            Entry("知识库", "book-open", "desk-knowledge", "/desk/knowledge", "knowledge.view"),
            Entry("短信", "send", "desk-sms", "/desk/sms", "messages.view"),
            Entry(
                "消息设置",
                "sliders-horizontal",
                "desk-message-settings",
                "/desk/message-settings",
                "messages.configure",
            ),
        ),
    ),
    Group(
        "系统",
        (
            Entry("账号和权限", "users", "desk-accounts", "/desk/accounts", "accounts.view"),
            Entry("接入平台", "route", "desk-clients", "/desk/clients", "clients.edit", citywide=True),
            Entry("业务日志", "scan-search", "desk-logs", "/desk/logs", "logs.view"),
            Entry("密码安全", "shield-check", "desk-security", "/desk/security", "security.check", citywide=True),
            Entry("渠道", "qr-code", "desk-channels", "/desk/channels", "settings.write", citywide=True),
            Entry("系统设置", "settings", "settings", "/desk/settings", "settings.write", citywide=True),
        ),
    ),
)
OPEN_AT_HOME: Final = frozenset({"台账", "我存的视图"})


class Shown(NamedTuple):
    """An entry as the navigation shows it."""

    label: str
    icon: str
    href: str
    now: bool
    waiting: int = 0


class Section(NamedTuple):
    """A group as the navigation shows it: folded, unless the page belongs to it."""

    title: str
    entries: list[Shown]
    open: bool

    @property
    def waiting(self) -> int:
        """Return how much waits for the caller in all of it."""
        return sum(entry.waiting for entry in self.entries)


def sections_for(request: HttpRequest) -> list[Section]:
    """Return what the caller may open at the desk, in groups; groups without anything are left out."""
    scope = scope_for(request)
    home = request.path == reverse("desk")
    groups = [
        *((group.title, _entries_of(group, request, scope)) for group in GROUPS),
        ("业务", _modules(request, scope)),
        ("台账", _ledgers(request, scope)),
        ("我存的视图", _views(request)),
    ]
    shown = [
        Section(title, entries, any(entry.now for entry in entries) or (home and title in OPEN_AT_HOME))
        for title, entries in groups
        if entries
    ]
    if any(section.open for section in shown):
        return shown
    return [section._replace(open=at == 0) for at, section in enumerate(shown)]


def _entries_of(group: Group, request: HttpRequest, scope: Scope) -> list[Shown]:
    under = [entry.prefix for entry in group.entries if entry.prefix and request.path.startswith(entry.prefix)]
    here = max(under, key=len, default="")
    return [
        Shown(
            entry.label,
            entry.icon,
            href,
            entry.prefix == here if entry.prefix else request.path == href,
            entry.waiting(scope) if entry.waiting else 0,
        )
        for entry in group.entries
        for href in [reverse(entry.page)]
        if not entry.duty or (holds_citywide(scope, entry.duty) if entry.citywide else scope.holds(entry.duty))
        if not entry.within or scope.covers_path(entry.within)
    ]


def _ledgers(request: HttpRequest, scope: Scope) -> list[Shown]:
    """Return the ledgers that the caller may open, less those that stand with their modules."""
    return [
        Shown(spec.title, spec.icon, href, request.path.startswith(href))
        for spec in ledgers_of_the_house(scope)
        for href in [reverse("desk-ledger", args=[spec.key])]
    ]


def _modules(request: HttpRequest, scope: Scope) -> list[Shown]:
    """Return the business modules in which the caller may do something; one of them is marked on the pages of its ledgers too."""
    return [
        Shown(parts.module.spec.title, parts.module.spec.icon, pages[0], request.path.startswith(tuple(pages)))
        for parts in modules_for(scope)
        for pages in [
            [
                reverse("desk-module", args=[parts.module.spec.key]),
                *(reverse("desk-ledger", args=[spec.key]) for spec in parts.ledgers),
            ]
        ]
    ]


def _views(request: HttpRequest) -> list[Shown]:
    """Return the views that the caller keeps, of ledgers that there still are."""
    user = caller_of(request).user
    return [
        Shown(view.name, ledgers()[view.ledger].icon, href, request.get_full_path() == href)
        for view in (views_of(user) if user else [])
        if view.ledger in ledgers()
        for href in [f"{reverse('desk-ledger', args=[view.ledger])}?{view.query}"]
    ]
