"""The roles of the house, as data: a key, a name people know, and the duties that come with it."""

from __future__ import annotations

from typing import NamedTuple


class RoleDeclaration(NamedTuple):
    """A role and the duties it carries; the region, organisation or person comes with the grant."""

    key: str
    name: str
    duties: tuple[str, ...]


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
        ),
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
        ),
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
            "messages.view",
            "messages.send",
            "notices.edit",
            "knowledge.view",
            "knowledge.edit",
            "cases.view",
            "cases.street",
        ),
    ),
    RoleDeclaration(
        "institution_head", "机构负责人", ("facilities.view", "facilities.report", "knowledge.view", "cases.view")
    ),
    RoleDeclaration("planner", "规划人员", ("facilities.view", "regions.draft", "fences.draft", "knowledge.view")),
    RoleDeclaration("resident", "居民", ("self.view",)),
)
