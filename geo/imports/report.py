"""The report of one run: what was read, taken, refused and why, and what publishing it does; as data and as Chinese text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geo.imports.importer import Counts
from geo.imports.models import DraftRow, ImportRun, Refusal
from geo.imports.reasons import sentence

SHOWN_PER_REASON = 3
SHOWN_FINDINGS = 5


@dataclass(slots=True)
class RunReport:
    """What one run did, or would do. ``doubts`` are reasons not to publish; ``evidence`` is what the datum detectors saw.

    ``notices`` say what the act as a whole brought about; they stand with its last run.
    """

    run: str
    source: str
    title: str
    family: str
    provenance: str
    files: str
    datum: str
    rows_read: int
    rows_accepted: int
    refused_early: dict[str, int]
    refused_late: dict[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    retired_invented: int = 0
    corrected: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[dict[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    published: bool = False

    @classmethod
    def of(cls, run: ImportRun) -> RunReport:
        """Begin the report of a run that has been drafted."""
        source, kept = run.source, run.report
        return cls(
            run=str(run.pk),
            source=source.key,
            title=source.title,
            family=source.family,
            provenance=source.provenance,
            files=run.file_name,
            datum=source.datum,
            rows_read=run.rows_read,
            rows_accepted=DraftRow.objects.filter(run=run).count(),
            refused_early=dict(kept.get("refused_early", {})),
            kinds=dict(kept.get("kinds", {})),
            warnings=dict(kept.get("warnings_early", {})),
            encodings=dict(kept.get("encodings", {})),
            doubts=[doubt for doubt in kept.get("doubts", []) if doubt.get("early")],
        )

    @property
    def refused_by(self) -> dict[str, int]:
        """Return how many rows were refused by reason."""
        return dict((Counter(self.refused_early) + Counter(self.refused_late)).most_common())

    @property
    def rows_refused(self) -> int:
        """Return how many rows were refused."""
        return sum(self.refused_by.values())

    def doubt(self, code: str, what: str = "") -> None:
        """Note a reason of ``reasons.DOUBTS`` not to publish."""
        self.doubts.append({"code": code, "message": f"{sentence(code)}（{what}）" if what else sentence(code)})

    def note(self, counts: Counts, warnings: Mapping[str, int], late: Counter[str]) -> None:
        """Note what publishing did."""
        self.counts = counts
        self.refused_late = dict(late)
        self.rows_accepted -= sum(late.values())
        self.warnings = dict(warnings)

    def as_data(self) -> dict[str, Any]:
        """Return the report as plain data, as it is kept with the run and printed by ``--json``."""
        counts = self.counts
        return {
            "run": self.run,
            "source": self.source,
            "title": self.title,
            "family": self.family,
            "provenance": self.provenance,
            "files": self.files,
            "datum": self.datum,
            "encodings": self.encodings,
            "rows": {"read": self.rows_read, "accepted": self.rows_accepted, "refused": self.rows_refused},
            "refused_by": self.refused_by,
            "refused_early": self.refused_early,
            "kinds": self.kinds,
            "added": counts.added,
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "removed": counts.removed,
            "retired_invented": self.retired_invented,
            "corrected": self.corrected,
            "warnings": self.warnings,
            "evidence": self.evidence,
            "findings": self.findings,
            "doubts": self.doubts,
            "notices": self.notices,
            "published": self.published,
        }


def told(report: RunReport) -> Iterator[str]:
    """Yield the lines of a report for people."""
    counts = report.counts
    mark = "演示" if report.provenance == "invented" else "真实"
    yield f"■ {report.title}（{report.source}，{mark}，坐标系 {report.datum}）"
    yield f"  文件 {report.files}" + "".join(
        f"；{name} 按 {encoding.upper()} 读取" for name, encoding in report.encodings.items() if encoding != "utf-8"
    )
    yield f"  读取 {report.rows_read} 行，可用 {report.rows_accepted}，拒绝 {report.rows_refused}"
    yield (
        f"  新增 {counts.added}，变更 {counts.changed}，不变 {counts.unchanged}，停用 {counts.removed}"
        + (f"；同时停用演示数据 {report.retired_invented} 行" if report.retired_invented else "")
    )
    if report.corrected:
        yield f"  人工更正 {report.corrected} 处，已盖在来源的值上"
    if report.kinds:
        yield "  分类：" + "，".join(f"{kind} {count}" for kind, count in report.kinds.items())
    for code, count in report.refused_by.items():
        yield f"  ✗ {code} {count} 行：{sentence(code)}"
        yield from (f"      {line}" for line in _examples(report, code))
    for code, count in report.warnings.items():
        yield f"  ! {code} {count} 次：{sentence(code)}"
    for finding in report.findings[:SHOWN_FINDINGS]:
        yield f"  · {finding['message']}"
    if len(report.findings) > SHOWN_FINDINGS:
        yield f"  · 另有 {len(report.findings) - SHOWN_FINDINGS} 条同类说明，见 --json 的 findings"
    for line in report.evidence:
        yield f"  · {line}"
    for doubt in report.doubts:
        yield f"  ✗✗ {doubt['code']}：{doubt['message']}"
    for line in report.notices:
        yield f"■ {line}"


def _examples(report: RunReport, code: str) -> Iterator[str]:
    for refusal in Refusal.objects.filter(run__pk=report.run, code=code)[:SHOWN_PER_REASON]:
        column = f" {refusal.column} 栏" if refusal.column else ""
        said = "，".join(f"{name}={value}" for name, value in _first(refusal.raw))
        yield f"{refusal.part} 第 {refusal.row} 行{column}：{said}"


def _first(raw: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """Return the first few values that are there, short."""
    shown = ((name, value) for name, value in raw.items() if value not in ("", None) and not isinstance(value, list))
    return [(name, str(value)[:30]) for name, value in shown][:4]
