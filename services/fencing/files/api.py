"""Fences of an edition as a file, over HTTP."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from services.access.queries import scope_for
from services.fencing.files.exporting import export_fences

router = Router(tags=["围栏"])


@router.get("/fences/editions/{uuid:edition_id}/export", summary="一版围栏的文件")
def export(
    request: HttpRequest,
    edition_id: UUID,
    format: Annotated[
        str, Query(description="geojson、gpkg、shp（zip）、kml、csv（WKT）", examples=["geojson"])
    ] = "geojson",
    crs: Annotated[str, Query(description="wgs84、cgcs2000、gcj02、bd09、sh2000")] = "wgs84",
    fence: Annotated[list[UUID] | None, Query(max_length=500, description="只要这几个围栏；不写就是全部")] = None,
) -> HttpResponse:
    """把自己管辖的区的一版围栏取成文件，每行写明围栏的名称、归属和有效时间。"""
    file = export_fences(edition_id=edition_id, format=format, crs=crs, sames=fence or (), scope=scope_for(request))
    response = HttpResponse(file.content, content_type=file.media)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return response
