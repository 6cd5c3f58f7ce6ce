"""Areas out of a file, on the planner's page: every format and datum gives the same areas; hostile files are refused in words."""

from __future__ import annotations

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pyogrio.raw import write
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from geo.crs import Coordinates, System, convert
from geo.fences.areas import shape_of
from geo.fences.files.reading import SYSTEMS
from geo.fences.files.writing import FORMATS, format_of
from geo.geometry import from_plane, to_plane
from geo.regions.models import Region
from geo.regions.queries import current_city
from services.access.actions import declare_roles
from services.catchments.areas.district import district_of
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentArea, CatchmentEdition
from tests.services.access.walking import signed_in

DISTRICT = "310101"
NAMES = ["东片区", "西片区"]


class Table:
    """A planner with an empty draft, two squares inside the district, and the names of two kindergartens for them."""

    def __init__(self) -> None:
        declare_roles()
        region = Region.objects.get(versions__code=DISTRICT, versions__edition__state="published")
        self.client: Client = signed_in("area-files", "district_manager", region=region)
        year = timezone.localdate().year + 2
        answer = self.client.post("/plan/begin", {"year": year, "district": DISTRICT, "entry": "local", "source": ""})
        assert answer.status_code == 302
        self.edition = CatchmentEdition.objects.get(year=year, entry="local", district=region)
        ground = district_of(region.pk).ground.district
        assert ground is not None
        spot = shapely.point_on_surface(ground)
        boxes = [shapely.box(spot.x + at, spot.y, spot.x + at + 40, spot.y + 50) for at in (0, 60)]
        self.shapes = [from_plane(box, current_city()) for box in boxes]
        self.sites = [site.name for site in ground_of(region.pk).open_sites()[:2]]

    def upload(self, name: str, data: bytes, datum: System | None) -> Any:
        self.edition.refresh_from_db()
        fields = {"seen": self.edition.revision, "key": str(uuid.uuid4()), "datum": datum.value if datum else ""}
        file = SimpleUploadedFile(name, data)
        return self.client.post(f"/plan/editions/{self.edition.pk}/areas/file", {**fields, "file": file}, follow=True)

    @property
    def kept(self) -> dict[str, CatchmentArea]:
        return {area.name: area for area in CatchmentArea.objects.filter(edition=self.edition).select_related("target")}


@pytest.fixture
def table(city: None) -> Table:
    return Table()


def in_datum(shape: BaseGeometry, datum: System) -> BaseGeometry:
    def there(places: np.ndarray) -> np.ndarray:
        found = convert(Coordinates(places[:, 0], places[:, 1], System.CGCS2000), datum)
        return np.column_stack([found.x, found.y])

    return shapely.transform(shape, there)


def layer(table: Table, datum: System, path: Path, **more: Any) -> Path:
    shapes = shapely.to_wkb([in_datum(shape, datum) for shape in table.shapes])
    values = [np.array(values, dtype=object) for values in (NAMES, table.sites)]
    write(path, shapes, values, ["名称", "对口园"], geometry_type="Polygon", crs="EPSG:4326", **more)
    return path


def as_geopackage(table: Table, datum: System, folder: Path) -> tuple[str, bytes]:
    return "片区.gpkg", layer(table, datum, folder / "areas.gpkg", driver="GPKG").read_bytes()


def as_shapefile(table: Table, datum: System, folder: Path) -> tuple[str, bytes]:
    layer(table, datum, folder / "areas.shp", encoding="UTF-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.glob("areas.*"):
            archive.write(file, file.name)
    return "片区.zip", packed.getvalue()


def as_geojson(table: Table, datum: System, folder: Path) -> tuple[str, bytes]:
    rows = zip(NAMES, table.sites, table.shapes, strict=True)
    features = [
        {"type": "Feature", "properties": {"名称": name, "对口园": site}, "geometry": shapely.geometry.mapping(in_datum(shape, datum))}
        for name, site, shape in rows
    ]  # fmt: skip
    return "片区.geojson", orjson.dumps({"type": "FeatureCollection", "features": features})


def test_areas_of_any_format_and_datum_are_the_same_areas(table: Table, tmp_path: Path) -> None:
    files = [*((as_geopackage, datum) for datum in SYSTEMS), (as_shapefile, System.GCJ02), (as_geojson, System.BD09)]
    for at, (written, datum) in enumerate(files):
        table.shapes = [
            from_plane(affinity.translate(to_plane(each, current_city()), 3), current_city()) for each in table.shapes
        ]
        folder = tmp_path / str(at)
        folder.mkdir()
        page = table.upload(*written(table, datum, folder), datum)
        assert "导入了 2 个片区" in page.content.decode(), (written, datum)
        kept = table.kept
        assert [kept[name].target.name for name in NAMES] == table.sites
        for name, shape in zip(NAMES, table.shapes, strict=True):
            assert shapely.hausdorff_distance(shape_of(kept[name]), shape) < 1e-7, (written, datum)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.gpkg", b'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>', "文件读不出来"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(200), "文件读不出来"),
        ("a.gpkg", b"SQLite", "请重新"),
        ("a.shp", b"1", "GeoPackage（.gpkg）"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_file_of_areas_is_refused_and_nothing_is_kept(
    table: Table, name: str, data: bytes, said: str
) -> None:
    page = table.upload(name, data, System.WGS84)
    assert (page.status_code, said in page.content.decode()) == (400, True)
    assert table.kept == {}


def test_one_area_without_a_kindergarten_keeps_all_others_out(table: Table, tmp_path: Path) -> None:
    table.sites[1] = "没有这所园"
    page = table.upload(*as_geopackage(table, System.WGS84, tmp_path), System.WGS84)
    assert "第 2 个：本区没有叫“没有这所园”的幼儿园" in page.content.decode()
    assert table.kept == {}


@pytest.mark.parametrize("key", [each.key for each in FORMATS])
def test_areas_taken_away_come_back_as_the_same_areas(table: Table, tmp_path: Path, key: str) -> None:
    table.upload(*as_geojson(table, System.WGS84, tmp_path), System.WGS84)
    before = {name: (area.geom.wkt, area.target_id) for name, area in table.kept.items()}
    at = f"/plan/editions/{table.edition.pk}/areas/file"
    file = table.client.get(at, {"format": key, "crs": "bd09"})
    assert "BD09" in file["Content-Disposition"]
    CatchmentArea.objects.filter(edition=table.edition).delete()
    page = table.upload(f"片区.{format_of(key).ending}", file.content, None)
    assert "导入了 2 个片区" in page.content.decode()
    for name, area in table.kept.items():
        wkt, target = before[name]
        assert area.target_id == target
        assert shapely.hausdorff_distance(shapely.from_wkt(wkt), shape_of(area)) < 1e-8
    assert table.client.get(at, {"format": "dwg"}).status_code == 400
