"""Workbooks that people take from here: the template of a ledger, and the rows of an import that are to be mended.

Every text is written as text: no cell of ours can be a formula or a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from geo.imports.models import Refusal
from services.kernel.ledger.importing.heads import REASON_HEAD, ROW_HEAD
from services.kernel.spec import Column, Intake, LedgerSpec

VALIDATED_ROWS: Final = 60_000
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_KINDS: Final = {
    "text": "文字",
    "integer": "整数",
    "number": "数字",
    "flag": "是或否",
    "choice": "从选项里选一个",
    "day": "日期，如 2026-09-01",
    "moment": "日期，如 2026-09-01",
}
_FLAGS: Final = ("是", "否")


def write_template(path: Path, spec: LedgerSpec, intake: Intake) -> None:
    """Write the template of a ledger: heads, one example row, lists to choose from, and a sheet that explains every column."""
    import xlsxwriter  # slow to import, and few need it

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet(spec.title[:28])
        _heads(book, sheet, intake)
        for column, field in enumerate(intake.fields):
            sheet.write_string(1, column, _text(intake.example.get(field.key, "")))
        _lists(book, sheet, intake, first=1)
        _explain(book, spec, intake)


def write_rows_to_mend(path: Path, intake: Intake, refusals: Iterable[Refusal]) -> int:
    """Write refused rows with their number and their reasons in front of the columns of the template; return how many."""
    import xlsxwriter  # slow to import, and few need it

    count = 0
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("要改的行")
        _heads(book, sheet, intake, before=(ROW_HEAD, REASON_HEAD))
        sheet.set_column(1, 1, 48)
        faulty = book.add_format({"bg_color": "#FDEBE9"})
        for count, refusal in enumerate(refusals, start=1):
            faults = refusal.raw["faults"]
            wrong = {key for key, _, _ in faults}
            sheet.write_number(count, 0, refusal.row)
            sheet.write_string(count, 1, _text(reasons_of(refusal, intake)))
            for column, field in enumerate(intake.fields, start=2):
                text = _text(refusal.raw["cells"].get(field.key, ""))
                if text:
                    sheet.write_string(count, column, text, faulty if field.key in wrong else None)
                elif field.key in wrong:
                    sheet.write_blank(count, column, None, faulty)
        _lists(book, sheet, intake, first=1, offset=2)
    return count


def reasons_of(refusal: Refusal, intake: Intake) -> str:
    """Return what is wrong with a row in words, cell by cell."""
    labels = {field.key: field.label for field in intake.fields}
    said = [(labels.get(key, ""), message) for key, _, message in refusal.raw["faults"]]
    return " ".join(f"{label}：{message}" if label else message for label, message in said)


def kind_words(field: Column) -> str:
    """Return in words what a cell of a column holds."""
    unit = f"（{field.unit}）" if field.unit else ""
    return f"{_KINDS[field.kind]}{unit}"


def _heads(book: Any, sheet: Any, intake: Intake, before: Sequence[str] = ()) -> None:
    bold = book.add_format({"bold": True, "bottom": 1})
    required = book.add_format({"bold": True, "bottom": 1, "font_color": "#B3261E"})
    text = book.add_format({"num_format": "@"})
    for column, head in enumerate(before):
        sheet.write_string(0, column, head, bold)
    for column, field in enumerate(intake.fields, start=len(before)):
        must = field.key in intake.required
        wide = 30 if field.key in ("name", "address_text") else 14
        # text as it is typed: a spreadsheet program must not make 12-1 a day, or cut the zeros of a number
        sheet.set_column(column, column, wide, None if field.kind in ("integer", "number") else text)
        sheet.write_string(0, column, f"{field.label}*" if must else field.label, required if must else bold)
    sheet.freeze_panes(1, 0)


def _lists(book: Any, sheet: Any, intake: Intake, *, first: int, offset: int = 0) -> None:
    options = book.add_worksheet("选项")
    for column, field in enumerate(intake.fields):
        words = _FLAGS if field.kind == "flag" else tuple(label for _, label in field.offered)
        if not words:
            continue
        options.write_string(0, column, field.label)
        for at, word in enumerate(words, start=1):
            options.write_string(at, column, word)
        source = f"='选项'!{_cell(1, column)}:{_cell(len(words), column)}"
        said = {
            "validate": "list",
            "source": source,
            "error_title": "不在选项里",
            "error_message": "请从列表里选一个。",
        }
        sheet.data_validation(first, column + offset, VALIDATED_ROWS, column + offset, said)


def _explain(book: Any, spec: LedgerSpec, intake: Intake) -> None:
    page = book.add_worksheet("说明")
    bold, wrapped = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
    page.set_column(0, 0, 16)
    page.set_column(1, 2, 18)
    page.set_column(3, 3, 60)
    for column, head in enumerate(("列", "要不要填", "填什么", "说明")):
        page.write_string(0, column, head, bold)
    for at, field in enumerate(intake.fields, start=1):
        must = "新增时必填" if field.key in intake.required else "可不填"
        said = intake.explained.get(field.key, "")
        if field.offered:
            said = f"{said}可选：{'、'.join(label for _, label in field.offered)}。"
        for column, text in enumerate((field.label, must, kind_words(field), said)):
            page.write_string(at, column, _text(text), wrapped)
    last = f"第一张表第 2 行是示例，请删掉再填{spec.title}。空着的格子不改动原来的内容。"
    page.write_string(len(intake.fields) + 2, 0, last)


def _cell(row: int, column: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))


def _text(cell: str) -> str:
    return _FORBIDDEN.sub("", cell)[:32_767]
