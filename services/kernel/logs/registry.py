"""The declared sources of lines, found in the ``logged`` module of every installed app."""

from __future__ import annotations

from functools import cache
from typing import Final

from geo.declared import by_key, declarations
from services.kernel.logs.spec import Source, Tracked

MACHINE_ACTS: Final = {
    "request.write": "提交请求",
    "request.slow": "响应缓慢",
    "request.refused": "请求被拒",
    "request.fault": "系统出错",
    "upstream.call": "调用外部系统",
    "error.web": "程序错误",
    "error.machine": "服务错误",
    "lines.cut": "日志过多，部分未收",
}
APPS: Final = {
    "audit": "审计",
    "case": "办件",
    "client": "接入平台",
    "request": "页面和接口",
    "upstream": "外部系统",
    "error": "程序错误",
    "lines": "服务器日志",
}
MACHINE_KINDS: Final = {
    "ledger": "台账",
    "path": "页面",
    "route": "页面或接口",
    "upstream": "外部系统",
    "place": "程序位置",
    "file": "日志文件",
}


@cache
def declared() -> tuple[tuple[Source, ...], tuple[Tracked, ...]]:
    """Return every declared source and every declared table; two under one key are a programming error."""
    sources = by_key(declarations("logged", "SOURCES", needed=False), "source")
    tracked = by_key(declarations("logged", "TRACKED", needed=False), "kind", key="kind")
    return tuple(sources.values()), tuple(tracked.values())


@cache
def tracked_named(kind: str) -> Tracked | None:
    """Return what is declared of a kind of objects."""
    return next((each for each in declared()[1] if each.kind == kind), None)


@cache
def act_words() -> dict[str, str]:
    """Return every declared act with its words."""
    sources, tracked = declared()
    words: dict[str, str] = {}
    for source in sources:
        words |= source.acts
    for table in tracked:
        words |= table.words
    return words | MACHINE_ACTS


@cache
def kind_words() -> dict[str, str]:
    """Return every kind of objects with its words."""
    return {table.kind: table.title for table in declared()[1]} | MACHINE_KINDS


@cache
def app_words() -> dict[str, str]:
    """Return what the first parts of acts are called."""
    return kind_words() | APPS


@cache
def source_words() -> dict[str, str]:
    """Return every source with its words."""
    sources, tracked = declared()
    kept = {f"history.{table.kind}": f"{table.title}的历史" for table in tracked if table.history}
    return {each.key: each.title for each in sources} | kept | {"noted": "业务数据变化", "machine": "服务器日志"}
