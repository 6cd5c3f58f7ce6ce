"""Builders of spreadsheets of facilities, good and messy, on the tiny city."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from geo.addresses.models import Address
from geo.imports.models import CURRENT
from geo.regions.models import RegionVersion
from services.access.actions import declare_roles, grant_role
from services.access.models import User

HEADS = ("名称*", "类型*", "区", "地址*", "电话", "名额", "余位", "床位数", "资料日期")


def doors(path: str = "", count: int = 10_000) -> list[tuple[str, str]]:
    """Return (district, address) of doors under a region path, each of them a place of its own."""
    under = RegionVersion.objects.filter(edition__state="published", path__startswith=path)
    districts = {
        version.path: version.name
        for version in RegionVersion.objects.filter(edition__state="published", level="district")
    }
    of_region = {v.region_id: districts.get(".".join(v.path.split(".")[:2]) + ".", "") for v in under}
    rows = Address.objects.filter(CURRENT, lane="", room="", region__in=list(of_region)).exclude(number="")
    found: dict[tuple[str, str], None] = {}
    for region_id, normal in rows.order_by("normal", "pk").values_list("region_id", "normal"):
        found.setdefault((of_region[region_id], normal))
    return list(found)[:count]


def good_rows(count: int, path: str = "", called: str = "导入日间照护") -> list[dict[str, Any]]:
    """Return rows that are all right, each a facility of its own."""
    places = doors(path)
    assert places, "the city has no door there: the test would prove nothing"
    return [
        {
            "名称*": f"{called}{number:05d}站",
            "类型*": "日间照护中心",
            "区": district,
            "地址*": address,
            "电话": f"021-5{number:07d}",
            "名额": 40,
            "余位": number % 40,
            "床位数": 10 + number % 30,
            "资料日期": "2026-09-01",
        }
        for number, (district, address) in zip(range(count), _round(places), strict=False)
    ]


def _round(places: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    while True:
        yield from places


def xlsx(rows: Sequence[Mapping[str, Any]], heads: Sequence[str] = (), above: Sequence[str] = ()) -> bytes:
    """Return rows as a workbook, with lines of text above the header."""
    out = io.BytesIO()
    heads = heads or list(dict.fromkeys(head for row in rows for head in row))
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("名单")
        for at, line in enumerate(above):
            sheet.write_string(at, 0, line)
        for column, head in enumerate(heads):
            sheet.write_string(len(above), column, head)
        for at, row in enumerate(rows, start=len(above) + 1):
            for column, head in enumerate(heads):
                value = row.get(head, "")
                if isinstance(value, int | float):
                    sheet.write_number(at, column, value)
                elif value:
                    sheet.write_string(at, column, value)
    return out.getvalue()


def csv_of(rows: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> bytes:
    """Return rows as a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def saved(folder: Path, data: bytes, name: str = "名单.xlsx") -> Path:
    """Write bytes to a file and return it."""
    path = folder / name
    path.write_bytes(data)
    return path


def clerk(username: str, path: str, role: str = "street_clerk") -> User:
    """Return an account with a role over the region of a path."""
    declare_roles()
    user, made = User.objects.get_or_create(username=username)
    if made:
        user.set_password("not-a-real-one")
        user.save()
        region = RegionVersion.objects.get(path=path, edition__state="published").region
        grant_role(user=user, role=role, region=region, granted_by="test")
    return user
