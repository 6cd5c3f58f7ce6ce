"""The roles of the house, as data: a key, a name people know, and the duties that come with it.

Apps add duties of their own in a ``duties.py``.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from geo.declared import declarations


class Duty(NamedTuple):
    """A duty that an app adds: ``<app>.<act>``, what it lets people do, and the keys of the roles that carry it."""

    key: str
    label: str
    roles: tuple[str, ...]


class RoleDeclaration(NamedTuple):
    """A role and the duties it carries; the region, organisation or person comes with the grant.

    ``second_step`` asks for a code of an authenticator app besides the password, ``certificate`` for a certificate on the device.
    ``audience`` says which accounts may hold it:
    those of staff, who handle matters inside, or those of residents, who bring them from outside (受办分离). Of staff, who takes
    papers in (``intake``) does not decide on them over the same place. A role that ``stands_on`` an organisation is given over
    one. A ``citywide`` role is given by keepers of the whole city only.
    """

    key: str
    name: str
    duties: tuple[str, ...]
    second_step: bool = False
    certificate: bool = False
    audience: Literal["staff", "resident"] = "staff"
    side: Literal["", "intake", "handling"] = ""
    stands_on: Literal["region", "organisation"] = "region"
    citywide: bool = False


ROLES = (
    RoleDeclaration(
        "city_manager",
        "市级管理员",
        (
            "facilities.view",
            "forms.view",
            "forms.fill",
            "forms.reveal",
            "forms.configure",
            "forms.library",
            "facilities.edit",
            "addresses.edit",
            "layers.view",
            "layers.edit",
            "imports.view",
            "rules.view",
            "rules.edit",
            "imports.publish",
            "audit.view",
            "jobs.view",
            "templates.edit",
            "messages.view",
            "messages.send",
            "messages.reveal",
            "messages.configure",
            "notices.edit",
            "knowledge.view",
            "knowledge.edit",
            "cases.view",
            "cases.city",
            "cases.dispatch",
            "cases.configure",
            "calendar.edit",
            "settings.write",
            "clients.edit",
            "accounts.view",
            "accounts.edit",
        ),
        second_step=True,
        citywide=True,
    ),
    RoleDeclaration(
        "district_manager",
        "区级管理员",
        (
            "facilities.view",
            "forms.view",
            "forms.fill",
            "forms.reveal",
            "forms.configure",
            "facilities.edit",
            "addresses.edit",
            "layers.view",
            "layers.edit",
            "imports.view",
            "rules.view",
            "rules.edit",
            "jobs.view",
            "templates.edit",
            "messages.view",
            "messages.send",
            "messages.reveal",
            "messages.configure",
            "notices.edit",
            "knowledge.view",
            "knowledge.edit",
            "cases.view",
            "cases.district",
            "cases.dispatch",
            "cases.configure",
            "accounts.view",
            "accounts.edit",
        ),
        second_step=True,
    ),
    RoleDeclaration(
        "street_clerk",
        "街镇经办",
        (
            "facilities.view",
            "forms.view",
            "forms.fill",
            "facilities.edit",
            "addresses.edit",
            "layers.view",
            "messages.view",
            "messages.send",
            "notices.edit",
            "knowledge.view",
            "knowledge.edit",
            "cases.view",
            "cases.street",
        ),
        side="handling",
    ),
    RoleDeclaration(
        "institution_head",
        "机构负责人",
        ("facilities.view", "facilities.report", "knowledge.view", "cases.view"),
        stands_on="organisation",
    ),
    RoleDeclaration("service_worker", "上门服务人员", ("knowledge.view",), stands_on="organisation"),
    RoleDeclaration(
        "planner",
        "规划人员",
        ("facilities.view", "regions.draft", "fences.draft", "layers.view", "layers.edit", "knowledge.view"),
        citywide=True,
    ),
    RoleDeclaration(
        "intake_clerk",
        "窗口受理",
        ("facilities.view", "forms.view", "forms.fill", "messages.view", "knowledge.view"),
        side="intake",
    ),
    RoleDeclaration("resident", "居民", ("self.view",), audience="resident"),
)


@cache
def roles() -> tuple[RoleDeclaration, ...]:
    """Return the roles with the duties that apps add to them, in the order of the apps.

    Raises ``ValueError`` for a duty that is declared twice or given to an unknown role.
    """
    held = {role.key: list(role.duties) for role in ROLES}
    known = {duty for duties in held.values() for duty in duties}
    for duty in added_duties():
        if duty.key in known:
            raise ValueError(f"the duty {duty.key} is declared twice")
        known.add(duty.key)
        for role in duty.roles:
            if role not in held:
                raise ValueError(f"{duty.key} is given to the unknown role {role}")
            held[role].append(duty.key)
    return tuple(role._replace(duties=tuple(held[role.key])) for role in ROLES)


@cache
def added_duties() -> tuple[Duty, ...]:
    """Return the duties declared in the ``duties`` module of the installed apps."""
    return tuple(declarations("duties", "DUTIES"))
