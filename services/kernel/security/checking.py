"""The one check over everything that is signed or sealed, part by part, and the report of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

from geo.errors import BadInput, CityError
from services.crypto import chain
from services.crypto.chain import chain_logs
from services.crypto.chain_checks import check_logs
from services.crypto.devices import check_device_logs, sign_device_logs
from services.crypto.file_checks import check_files
from services.crypto.programs import check_programs
from services.crypto.reports import Finding, Section
from services.crypto.secret_checks import check_secrets
from services.crypto.signed_rows import check_signed_rows, table_of

RIGHTS: Final = ("role", "grant")
ACCOUNTS: Final = ("account", "api_key", "certificate")
Part = Callable[[bool], Section]


def _programs(_: bool) -> Section:
    return Section("programs", "重要程序", *check_programs("programs"))


def _devices(_: bool) -> Section:
    controls, wrong, note = check_programs("controls")
    pieces, changed, absent = check_device_logs()
    return Section(
        "devices", "设备日志和访问控制", controls + pieces, [*wrong, *changed], "；".join(filter(None, (note, absent)))
    )


def _rights(_: bool) -> Section:
    return _rows("rights", "角色和授权", RIGHTS)


def _accounts(_: bool) -> Section:
    return _rows("accounts", "登录鉴别数据", ACCOUNTS)


def _logs(_: bool) -> Section:
    return Section("logs", "审计和业务日志", *check_logs())


def _secrets(everything: bool) -> Section:
    return Section("secrets", "加密内容", *check_secrets(everything=everything))


def _files(everything: bool) -> Section:
    return Section("files", TITLES["files"], *check_files(everything=everything))


PARTS: Final[dict[str, Part]] = {
    "programs": _programs,
    "devices": _devices,
    "rights": _rights,
    "accounts": _accounts,
    "logs": _logs,
    "secrets": _secrets,
    "files": _files,
}
TITLES: Final = {
    "programs": "重要程序",
    "devices": "设备日志和访问控制",
    "rights": "角色和授权",
    "accounts": "登录鉴别数据",
    "logs": "审计和业务日志",
    "secrets": "加密内容",
    "files": "附件等文件",
}


def check_parts(parts: Collection[str] = (), *, everything: bool = False) -> Iterator[Section]:
    """Check the named parts, all of them for none, and yield each section when it is done.

    A part that cannot be checked is a finding of its own, and the next one is checked. Raises ``BadInput`` for an unknown part.
    """
    if unknown := set(parts) - PARTS.keys():
        raise BadInput("part_unknown", f"没有“{'、'.join(sorted(unknown))}”这一部分。可用：{'、'.join(PARTS)}。")
    return (_checked(key, part, everything) for key, part in PARTS.items() if not parts or key in parts)


def keep_up() -> int:
    """Enter and sign what is new in logs and device logs, and return how many lines and pieces that were; takes a second."""
    done = sign_device_logs() + chain_logs()
    time.sleep(chain.LAG.total_seconds())
    return done + chain_logs()  # what was written a moment ago


def all_good(sections: Iterable[Section]) -> bool:
    """Say whether nothing is wrong anywhere."""
    return all(section.good for section in sections)


def plain_report(sections: list[Section]) -> dict[str, Any]:
    """Return a report as JSON can hold it."""
    return {"good": all_good(sections), "sections": [section.plain() for section in sections]}


def _checked(key: str, part: Part, everything: bool) -> Section:
    try:
        return part(everything)
    except CityError as fault:
        return Section(key, TITLES[key], 0, [Finding(fault.code, TITLES[key], fault.message)])


def _rows(key: str, title: str, tables: Iterable[str]) -> Section:
    seen, findings = 0, []
    for name in tables:
        count, wrong = check_signed_rows(table_of(name))
        seen += count
        findings += wrong
    return Section(key, title, seen, findings)
