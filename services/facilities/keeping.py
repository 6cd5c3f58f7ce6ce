"""One facility added or changed by an act of ours that is no spreadsheet: an approved application, say.

It is judged and written exactly as a row of the desk's sheet is: kept inside the scope, its changes kept as corrections of its
source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from geo.addresses.placing import located
from geo.errors import BadInput
from geo.imports.sheets import SheetRow
from geo.regions.models import RegionVersion
from geo.scope import Scope
from services.access.queries import check_duty
from services.facilities.intake import check_sheet_rows
from services.facilities.intake_writing import save_sheet_rows
from services.facilities.models import Facility


@transaction.atomic
def keep_facility(
    *,
    values: Mapping[str, Any],
    inside: RegionVersion,
    mark: str,
    reason: str,
    scope: Scope,
    facility_id: int | None = None,
    organisation_id: int | None = None,
) -> Facility:
    """Add a facility, or change the one of an id, and return it. Needs ``facilities.edit`` over where it lies.

    ``values`` are by the fields of the ledger's sheet: kind_id, name, address_text, phone, status, attributes__KEY; what is not
    named stays. A new one needs kind, name and address. It stands where its address is found in the region ``inside``, else at
    that region's label, and says so. ``mark`` names the act: no two facilities come of one. Raises ``BadInput`` with the first
    thing that is wrong.
    """
    check_duty(scope, "facilities.edit")
    row = SheetRow(1, {key: str(value) for key, value in values.items()}, dict(values))
    if facility_id is not None:
        row.values["id"] = facility_id
    if "address_text" in values:
        _place(row, inside, scope)
    check_sheet_rows([row], scope=scope)
    if row.faults:
        raise BadInput("facility_refused", row.faults[0].message, field=row.faults[0].key)
    (written,) = save_sheet_rows([row], scope=scope, mark=mark, reason=reason)
    if organisation_id is not None:
        Facility.objects.filter(pk=written.pk).update(organisation_id=organisation_id)
    return Facility.objects.get(pk=written.pk)


def _place(row: SheetRow, inside: RegionVersion, scope: Scope) -> None:
    at = located(row.values["address_text"], scope=scope, inside=inside)
    lon, lat = round(at["geom"].x, 7), round(at["geom"].y, 7)
    row.cells |= {"lon": str(lon), "lat": str(lat)}  # a position of its own: it moves a facility that is there already
    row.found |= {"lon": lon, "lat": lat, "point_source": at["point_source"], "uncertainty_m": at["uncertainty_m"]}
