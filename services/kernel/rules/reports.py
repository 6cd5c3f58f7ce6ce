"""Tables and the reports of trials as spreadsheets, written row by row, with nothing a spreadsheet takes for a formula."""

from __future__ import annotations

from typing import IO, Any

from services.kernel.rules.deciding.cells import value_words
from services.kernel.rules.deciding.differences import cells_of
from services.kernel.rules.deciding.tables import asked_of
from services.kernel.rules.models import RuleVersion, Trial, TrialKind
from services.kernel.rules.queries import sheet_kept
from services.kernel.rules.registry import rule_set_named
from services.kernel.rules.spec import Fact


def fact_words(value: Any, fact: Fact) -> str:
    """Return a kept fact as people say it."""
    return value_words(frozenset(value) if isinstance(value, list) else value, asked_of(fact))


def write_report(file: IO[bytes], trial: Trial) -> None:
    """Write a trial to a file: how often what became what, and every case that the draft decides otherwise."""
    import xlsxwriter  # slow to import, and few need it

    spec = rule_set_named(trial.version.rule_set)
    with xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        summary = book.add_worksheet("汇总")
        summary.set_column(0, 1, 40)
        for at, head in enumerate(("现在的结果", "草稿的结果", "条数")):
            summary.write_string(0, at, head, bold)
        for line, (pair, count) in enumerate(sorted(trial.matrix.items(), key=lambda each: -each[1]), 1):
            before, after = pair.split("\n")
            summary.write_string(line, 0, before)
            summary.write_string(line, 1, after)
            summary.write_number(line, 2, count)
        sheet = book.add_worksheet("差异")
        sheet.freeze_panes(1, 0)
        sheet.set_column(1, len(spec.inputs) + 4, 20)
        heads = ["序号", "差异", "现在的结果", "草稿的结果", "办理对象", *(fact.label for fact in spec.inputs)]
        for at, head in enumerate(heads):
            sheet.write_string(0, at, head, bold)
        for line, row in enumerate(trial.rows.all().iterator(), 1):
            sheet.write_number(line, 0, row.number)
            facts = [fact_words(row.facts[fact.key], fact) if fact.key in row.facts else "" for fact in spec.inputs]
            for at, text in enumerate([TrialKind(row.kind).label, row.before, row.after, row.subject, *facts], 1):
                sheet.write_string(line, at, text)


def write_table(file: IO[bytes], version: RuleVersion) -> None:
    """Write the table of a version to a file, cell by cell as staff wrote it; a block of it can be pasted into a draft again."""
    import xlsxwriter  # slow to import, and few need it

    spec = rule_set_named(version.rule_set)
    sheet = sheet_kept(version)
    with xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True})
        page = book.add_worksheet("规则表")
        page.freeze_panes(1, 0)
        page.set_column(0, len(sheet.asks) + len(sheet.gives), 22)
        heads = [spec.labels.get(key, key) for key in (*sheet.asks, *sheet.gives)]
        for at, head in enumerate([*heads, "备注"]):
            page.write_string(0, at, head, bold)
        for number, line in enumerate(sheet.lines, 1):
            for at, text in enumerate(cells_of(sheet, line).values()):
                page.write_string(number, at, text)
