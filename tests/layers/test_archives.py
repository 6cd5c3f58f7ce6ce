"""A layer as one file of tiles, read back by the reader of the format and held against the tiles answered one by one."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.test import Client
from pmtiles.reader import MmapSource, Reader, all_tiles
from pmtiles.tile import Compression, TileType

from geo.errors import BadInput
from geo.scope import Scope
from layers.archives import occupied_tiles, write_pmtiles
from layers.registry import layer
from services.facilities.models import Facility
from tiles.schemes import tile_at

pytestmark = pytest.mark.usefixtures("city")


@pytest.mark.parametrize(("key", "zooms"), [("places", (8, 14)), ("regions", (7, 11)), ("roads", (9, 12))])
def test_the_file_holds_every_tile_that_is_not_empty_and_each_is_the_one_that_is_answered(
    client: Client, tmp_path: Path, key: str, zooms: tuple[int, int]
) -> None:
    path, told = tmp_path / "a.pmtiles", list[float]()
    made = write_pmtiles(
        layer(key), path, scope=Scope.public(), from_zoom=zooms[0], to_zoom=zooms[1], step=lambda share, said: told.append(share)
    )  # fmt: skip
    assert told == sorted(told)
    assert made.size == path.stat().st_size
    with path.open("rb") as file:
        source = MmapSource(file)
        reader = Reader(source)
        header, metadata = reader.header(), reader.metadata()
        assert (header["tile_type"], header["tile_compression"]) == (TileType.MVT, Compression.GZIP)
        assert (header["min_zoom"], header["max_zoom"], header["clustered"]) == (*zooms, True)
        assert header["addressed_tiles_count"] == made.tiles
        assert (metadata["name"], metadata["edition"]) == (layer(key).title, made.edition)
        kept = {zxy: gzip.decompress(content) for zxy, content in all_tiles(source)}
    assert len(kept) == made.tiles
    for (z, x, y), content in kept.items():
        assert client.get(f"/tiles/{key}/{z}/{x}/{y}.mvt").content == content
    around = {tile_at(*place.geom.coords, z) for place in Facility.objects.all() for z in range(zooms[0], zooms[1] + 1)}
    for tile in around - {tile for tile in around if (tile.z, tile.x, tile.y) in kept}:
        assert client.get(f"/tiles/{key}/{tile.z}/{tile.x}/{tile.y}.mvt").status_code == 204


def test_what_is_stopped_leaves_nothing_and_the_older_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.pmtiles"
    path.write_bytes(b"older")

    def stop(share: float, said: str) -> None:
        if share > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_pmtiles(layer("places"), path, scope=Scope.public(), from_zoom=8, to_zoom=11, step=stop)
    assert [each.name for each in tmp_path.iterdir()] == ["a.pmtiles"]
    assert path.read_bytes() == b"older"


def test_nothing_and_too_much_are_told_beforehand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = Scope.public()
    with pytest.raises(BadInput, match="只在 14 到 16 级"):
        occupied_tiles(layer("buildings"), scope=public, from_zoom=8, to_zoom=10)
    with pytest.raises(BadInput, match="没有可以画的内容"):
        write_pmtiles(
            layer("places"), tmp_path / "a", scope=public, from_zoom=8, to_zoom=9, chosen={"kinds": ["nothing"]}
        )
    monkeypatch.setattr("layers.archives.MOST_TILES", 5)
    with pytest.raises(BadInput, match="5 块以上"):
        occupied_tiles(layer("places"), scope=public, from_zoom=8, to_zoom=14)
    assert list(tmp_path.iterdir()) == []
