"""Which registrations (幼儿信息登记) the rules of a district are held against, and where they say that the child lives."""

from __future__ import annotations

from typing import Any, Final

from services.catchments.validating.spec import FormRegister

_HOME: Final[dict[str, Any]] = {
    "form": "enrolment",
    "child": ("child_identity", "child_document"),
    "street": "home_street",
    "committee": "home_committee",
    "community": "home_community",
}

REGISTERS: Final = (
    FormRegister("local", form_entry="local", where={"same_address": True}, address=("hukou_address",), **_HOME),
    FormRegister("apart", form_entry="local", where={"same_address": False}, address=("home_address",), **_HOME),
    FormRegister("elsewhere", form_entry="permit", address=("home_address", "hukou_address"), **_HOME),
)
