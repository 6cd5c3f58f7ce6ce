"""The rules of an edition as a workbook, a sheet for each mode, that read in again says the same rules."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.catchments.editing import BY_DOOR, ground_for
from services.catchments.entries import CHOICES, MODES, RULED, Mode
from services.catchments.ground import Ground
from services.catchments.importing.columns import LABELS
from services.catchments.models import CatchmentEdition, MatchRule
from services.catchments.queries import rules_of

_OF_DOORS: Final = ("mode", "written", "target", "site", "note")
_OF_PLACES: Final = ("mode", "street", "committee", "community", "target", "site", "note")
_WIDE: Final = {"written": 60, "target": 28, "committee": 20, "community": 24, "note": 24, "mode": 18}


def write_rules(path: Path, edition: CatchmentEdition) -> int:
    """Write the workbook and return how many rules it holds; an edition without rules gets the heads to fill in."""
    import xlsxwriter  # slow to import, and few need it

    ground, count = ground_for(edition), 0
    by_mode: dict[str, list[MatchRule]] = {}
    for rule in rules_of(edition):
        by_mode.setdefault(rule.mode, []).append(rule)
    modes = [mode for mode in RULED if mode in by_mode] or [mode for mode in RULED if mode in edition.steps] or ["open"]
    with xlsxwriter.Workbook(str(path)) as book:
        bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
        for mode in modes:
            fields = _OF_DOORS if mode in BY_DOOR else _OF_PLACES
            sheet = book.add_worksheet(MODES[mode])
            for column, field in enumerate(fields):
                sheet.set_column(column, column, _WIDE.get(field, 14), text)
                sheet.write_string(0, column, LABELS[field], bold)
            sheet.freeze_panes(1, 0)
            for row, rule in enumerate(by_mode.get(mode, ()), start=1):
                for column, cell in enumerate(_cells(rule, mode, fields, ground)):
                    sheet.write_string(row, column, cell)
                count += 1
    return count


def _cells(rule: MatchRule, mode: Mode, fields: tuple[str, ...], ground: Ground) -> list[str]:
    cells = {
        "mode": MODES[mode],
        "street": ground.streets.get(rule.street_id or 0, ""),
        "committee": ground.committee_name(rule.committee_id),
        "community": rule.community,
        "written": rule.written,
        "target": CHOICES[rule.choice] if rule.choice else ground.site_name(rule.target_id),  # type: ignore[index]
        "site": str(rule.target_id or ""),
        "note": rule.note,
    }
    return [cells[field] for field in fields]
