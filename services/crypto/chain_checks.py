"""Is a log what it was when it was signed? Each row, each entry, each head is looked at, and what differs is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.crypto.chain import ChainedTable, chained_tables, head_bytes, head_digest, heads_file
from services.crypto.house import house_keys
from services.crypto.merkle import Peaks
from services.crypto.models import ChainedLog, LogEntry, LogHead
from services.crypto.reports import Finding

MOST: Final = 100


@dataclass(slots=True)
class _Walk:
    """What has been gone through of a log: its peaks so far, and the roots at the sizes of its heads."""

    peaks: Peaks
    roots: dict[int, bytes]


def check_logs() -> tuple[int, list[Finding]]:
    """Check every log and return how many rows were looked at and what is wrong, at most 100 findings a log."""
    rows, findings = 0, []
    for table in chained_tables():
        log = ChainedLog.objects.filter(key=table.key).first()
        if log is None:
            findings.extend(_gone(table))
            continue
        found = []
        for finding in _check(table, log):
            found.append(finding)
            if len(found) == MOST:
                break
        rows += log.size
        findings.extend(found)
    return rows, findings


def _check(table: ChainedTable, log: ChainedLog) -> Iterator[Finding]:
    heads = list(LogHead.objects.filter(log=log).order_by("number"))
    walk = _Walk(Peaks(), {0: Peaks().root})
    yield from _check_entries(table, log, walk, {head.size for head in heads})
    if walk.peaks.size != log.size or list(walk.peaks.roots) != [bytes(peak) for peak in log.peaks]:
        yield Finding("log_state", table.title, f"应有 {log.size} 条，链上 {walk.peaks.size} 条，链的状态被改动")
    yield from _check_heads(table, log, heads, walk)
    yield from _check_memory(table, heads)


def _check_entries(table: ChainedTable, log: ChainedLog, walk: _Walk, sizes: set[int]) -> Iterator[Finding]:
    """Go through entries and rows side by side, both in the order of the rows' keys."""
    entries = LogEntry.objects.filter(log=log).order_by("position").values_list("position", "row", "leaf")
    rows = table.leaves(table.rows().filter(pk__lte=log.done))
    row = next(rows, None)
    last = 0
    for expected, (position, key, kept) in enumerate(entries.iterator(chunk_size=2_000)):
        leaf = bytes(kept)
        if position != expected or key <= last:
            yield Finding("log_order", table.title, f"链上第 {expected + 1} 条的次序被改动", key)
        last = max(last, key)
        while row is not None and row[0] < key:
            yield _inserted(table, row[0])
            row = next(rows, None)
        if row is None or row[0] > key:
            yield Finding("row_removed", table.title, f"记录 {key} 被删除", key)
        else:
            if row[1] != leaf:
                yield Finding("row_changed", table.title, f"记录 {key} 被改动{_said(table, key)}", key)
            row = next(rows, None)
        walk.peaks = walk.peaks.with_leaf(leaf)
        if walk.peaks.size in sizes:
            walk.roots[walk.peaks.size] = walk.peaks.root
    while row is not None:
        yield _inserted(table, row[0])
        row = next(rows, None)


def _check_heads(table: ChainedTable, log: ChainedLog, heads: list[LogHead], walk: _Walk) -> Iterator[Finding]:
    keys, before, good = house_keys(), bytes(32), 0
    for number, head in enumerate(heads, 1):
        signed = head_bytes(
            log=log.key,
            number=head.number,
            size=head.size,
            root=bytes(head.root),
            before=bytes(head.before),
            at=head.at,
        )
        if head.number != number or bytes(head.before) != before:
            yield Finding("head_order", table.title, f"第 {number} 个签名与前一个接不上，可能被删除或替换", head.number)
        if not keys.verify(head.key_id, signed, bytes(head.signature)):
            yield Finding("head_forged", table.title, f"第 {head.number} 个签名无效，可能被替换", head.number)
        elif walk.roots.get(head.size) != bytes(head.root):
            yield Finding(
                "log_rewritten",
                table.title,
                f"链上第 {good + 1} 到 {head.size} 条之间与签名不符，条目被改写",
                head.number,
            )
        else:
            good = head.size
        before = head_digest(head)
    if heads and heads[-1].size != log.size:
        yield Finding("head_missing", table.title, f"最后的签名到第 {heads[-1].size} 条为止，链上有 {log.size} 条")
    elif not heads and log.size:
        yield Finding("head_missing", table.title, "签名全部不见了")


def _check_memory(table: ChainedTable, heads: list[LogHead]) -> Iterator[Finding]:
    """Compare with what was written down outside the database: the heads may have gone on, never back."""
    known = _remembered().get(table.key)
    if known is None:
        return
    number, digest = known
    same = next((head for head in heads if head.number == number), None)
    if same is None or head_digest(same).hex() != digest:
        yield Finding(
            "log_cut", table.title, f"库外记下的第 {number} 个签名在库里不见了或不同，日志可能被整段截掉", number
        )


def _remembered() -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    try:
        lines = heads_file().read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        parts = line.split()
        if len(parts) == 4 and parts[1].isdigit():
            found[parts[0]] = (int(parts[1]), parts[3])
    return found


def _gone(table: ChainedTable) -> list[Finding]:
    if table.key in _remembered():
        return [Finding("log_cut", table.title, "整条日志链不见了")]
    return []


def _inserted(table: ChainedTable, key: int) -> Finding:
    return Finding("row_inserted", table.title, f"记录 {key} 是事后插入的{_said(table, key)}", key)


def _said(table: ChainedTable, key: int) -> str:
    moment: Any = table.rows().filter(pk=key).values_list(table.moment, flat=True).first()
    return f"（现在写的时间是 {moment:%Y-%m-%d %H:%M:%S}）" if moment else ""
