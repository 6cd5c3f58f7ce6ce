"""Models and tilesets read: where they lie beside brute force and PROJ, and everything hostile or broken refused by its reason."""

from __future__ import annotations

import base64
import gzip
import io
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyproj
import pytest
import shapely
from PIL import Image

from fixtures.scenes.meshes import b3dm_of
from geo.crs.earth_centred import from_earth_centred, local_frame, to_earth_centred
from geo.imports.faults import SourceRefused
from layers.scenes.gltf import inside_path, packed, read_b3dm, read_glb, read_gltf, write_glb
from layers.scenes.placing import Extent, extent_of, found, placed, standing
from layers.scenes.reading import Package, Piece, read_apart, read_upload
from layers.scenes.refusals import SceneRefused
from layers.scenes.tileset import read_tileset
from tests.layers.scenes.making import LAT, LON, block, document_of, on_earth, package, tile, tileset

GEOCENTRIC, DEGREES_3D = "EPSG:4978", "EPSG:4979"


def taken(content: bytes, tmp_path: Path, *, ending: str = ".zip", kind: str = "tileset") -> tuple[Package, bytes]:
    source = tmp_path / f"upload{ending}"
    source.write_bytes(content)
    whole = io.BytesIO()
    return read_upload(source, ending=ending, kind=kind, whole=whole), whole.getvalue()


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(SceneRefused) as caught:
        act()
    assert caught.value.message
    return caught.value.code


def files_of(files: Mapping[str, bytes]) -> Callable[[str], bytes | None]:
    return files.get


# Where things lie


def test_earth_centred_metres_are_those_of_proj() -> None:
    rng = np.random.default_rng(5)
    lon, lat, height = (
        rng.uniform(-180, 180, 5_000),
        rng.uniform(-89.9, 89.9, 5_000),
        rng.uniform(-5_000, 20_000, 5_000),
    )
    there = pyproj.Transformer.from_crs(DEGREES_3D, GEOCENTRIC, always_xy=True)
    points = to_earth_centred(lon, lat, height)
    np.testing.assert_allclose(points, np.column_stack(there.transform(lon, lat, height)), atol=1e-5)
    back = from_earth_centred(points)
    np.testing.assert_allclose(back[0], lon, atol=1e-9)
    np.testing.assert_allclose(back[1], lat, atol=1e-9)
    np.testing.assert_allclose(back[2], height, atol=1e-4)


def test_a_local_frame_points_east_north_and_up() -> None:
    frame = local_frame(LON, LAT, 5.0)
    east, north, up = (from_earth_centred(frame[:3, :3] @ step + frame[:3, 3]) for step in 100.0 * np.eye(3))
    assert east[0][0] > LON
    assert east[1][0] == pytest.approx(LAT, abs=1e-8)
    assert north[1][0] > LAT
    assert north[0][0] == pytest.approx(LON, abs=1e-8)
    assert up[2][0] == pytest.approx(105.0)
    geod = pyproj.Geod(ellps="WGS84")
    assert geod.inv(LON, LAT, east[0][0], east[1][0])[::2] == pytest.approx((90.0, 100.0), abs=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_the_box_of_a_tileset_holds_every_vertex_of_every_tile(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    files: dict[str, bytes] = {}
    corners = []
    earth = local_frame(LON + rng.uniform(-0.1, 0.1), LAT + rng.uniform(-0.1, 0.1), rng.uniform(-5, 30))
    children = []
    for number in range(5):
        turn, tall = _turned(rng), float(rng.uniform(3, 90))
        ring = rng.uniform(0.2, 1.0) * np.array([(-9, -4), (8, -6), (10, 5), (-7, 7), (-9, -4)])
        centre = rng.uniform(-40, 40, 3)
        glb = block(tall=tall, ring=ring)
        old = number % 2 == 0
        files[f"t/{number}"] = b3dm_of(glb, centre=centre) if old else glb
        upright = np.vstack([np.column_stack([ring, np.full(5, h)]) for h in (0.0, tall)])
        matrix = earth @ turn
        corners.append((upright + (centre if old else 0.0)) @ matrix[:3, :3].T + matrix[:3, 3])
        children.append(tile(f"t/{number}", transform=turn.T.reshape(-1).tolist()))
    root = tile(None, transform=earth.T.reshape(-1).tolist(), children=children)
    read, _ = taken(package({"tileset.json": tileset(root), **files}), tmp_path)
    place = found(read.extent)
    lon, lat, height = pyproj.Transformer.from_crs(GEOCENTRIC, DEGREES_3D, always_xy=True).transform(
        *np.vstack(corners).T
    )
    west, south, east, north = place.box
    np.testing.assert_allclose((west, south, east, north), (lon.min(), lat.min(), lon.max(), lat.max()), atol=2e-8)
    np.testing.assert_allclose(place.heights, (height.min(), height.max()), atol=1e-3)
    assert shapely.contains_xy(shapely.buffer(place.outline, 1e-6), lon, lat).all()


def _turned(rng: np.random.Generator) -> Any:
    axis = rng.normal(size=3)
    x, y, z = axis / np.linalg.norm(axis)
    cross, angle = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]), rng.uniform(0, 6.28)
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross) * rng.uniform(0.3, 3)
    matrix[:3, 3] = rng.uniform(-80, 80, 3)
    return matrix


@pytest.mark.parametrize("heading", [0.0, 37.0, 90.0, 254.5])
@pytest.mark.parametrize("scale", [1.0, 0.01, 2.5])
def test_a_placed_model_stands_where_it_was_put(heading: float, scale: float) -> None:
    model = read_glb(block(tall=12.0), where="block.glb", files=files_of({}))
    place = placed(extent_of(standing(model.points)), lon=LON, lat=LAT, height_m=2.0, heading_deg=heading, scale=scale)
    assert place.heights == pytest.approx((2.0, 2.0 + 12.0 * scale))
    geod = pyproj.Geod(ellps="WGS84")
    # the corner 10 m east and 5 m north of the origin, turned clockwise
    azimuth, distance = np.degrees(np.arctan2(10.0, 5.0)) + heading, np.hypot(10.0, 5.0) * scale
    lon, lat, _ = geod.fwd(LON, LAT, azimuth, distance)
    assert shapely.distance(shapely.Point(lon, lat), place.outline.exterior) < 2e-9 + 1e-8 * scale
    west, south, east, north = place.box
    assert west < LON < east
    assert south < LAT < north


def test_an_extent_survives_being_kept() -> None:
    extent = extent_of(standing(read_glb(block(), where="", files=files_of({})).points))
    again = Extent.read(orjson.loads(orjson.dumps(extent.kept())))
    assert (again.geographic, again.low, again.high) == (extent.geographic, extent.low, extent.high)
    assert again.outline.equals(extent.outline)


def test_nodes_are_turned_moved_and_scaled_as_the_format_says() -> None:
    document, binary = document_of(block())
    half = float(np.sqrt(0.5))
    document["nodes"] = [
        {"children": [1], "translation": [100, 0, 0], "rotation": [0, half, 0, half]},
        {"mesh": 0, "scale": [1, 2, 1]},
    ]
    document["scenes"] = [{"nodes": [0]}]
    points = read_glb(write_glb(document, binary), where="", files=files_of({})).points
    # a quarter turn about y takes x to −z and z to x: 20 m east by 10 m becomes 10 by 20
    np.testing.assert_allclose(points.min(axis=0), (95, 0, -10), atol=1e-5)
    np.testing.assert_allclose(points.max(axis=0), (105, 24, 10), atol=1e-5)


# Reading


def test_a_gltf_with_files_beside_it_becomes_one_glb_of_the_same_vertices(tmp_path: Path) -> None:
    document, binary = document_of(block())
    document["buffers"] = [{"byteLength": len(binary), "uri": "data/block%20one.bin"}]
    document["images"] = [{"uri": "front.png"}]
    content = package(
        {"a/model.gltf": orjson.dumps(document), "a/data/block one.bin": binary, "a/front.png": _picture()}
    )
    read, whole = taken(content, tmp_path, kind="model")
    assert read.pieces == (Piece("model.glb", "model/gltf-binary", 0, len(whole)),)
    assert (read.left_out, read.parts) == (0, ("1 层",))
    again = read_glb(whole, where="", files=files_of({}))
    before = read_glb(block(), where="", files=files_of({}))
    np.testing.assert_array_equal(again.points, before.points)
    assert again.triangles == before.triangles == 10
    assert again.document["images"][0]["mimeType"] == "image/png"


def test_a_tileset_is_kept_with_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    tree = tile("data/a.b3dm?v=3", transform=on_earth(), children=[tile("data/b.glb"), tile("more/tileset.json")])
    files = {
        "区/tileset.json": tileset(tree), "区/data/a.b3dm": gzip.compress(b3dm_of(block())), "区/data/b.glb": block(),
        "区/more/tileset.json": tileset(tile("c.gltf"), "1.0"), "区/more/c.gltf": _embedded(), "区/index.html": b"<script>",
        "区/x.svg": b"<svg/>",
    }  # fmt: skip
    read, whole = taken(package(files), tmp_path)
    kinds = {piece.path: piece.media for piece in read.pieces}
    assert kinds == {
        "tileset.json": "application/json", "data/a.b3dm": "application/octet-stream", "data/b.glb": "model/gltf-binary",
        "more/tileset.json": "application/json", "more/c.gltf": "model/gltf+json",
    }  # fmt: skip
    assert (read.tiles, read.left_out, read.loose) == (4, 2, 0)
    at = {piece.path: whole[piece.offset : piece.offset + piece.bytes] for piece in read.pieces}
    assert at["data/a.b3dm"] == b3dm_of(block())
    assert at["data/b.glb"] == block()
    assert read.bytes == len(whole)


def test_the_same_files_have_the_same_digest_and_others_another(tmp_path: Path) -> None:
    one = taken(package({"tileset.json": tileset(tile(transform=on_earth())), "block.glb": block()}), tmp_path)[0]
    same = taken(
        package({"block.glb": block(), "x/tileset.json": b"", "tileset.json": tileset(tile(transform=on_earth()))}),
        tmp_path,
    )[0]
    other = taken(
        package({"tileset.json": tileset(tile(transform=on_earth())), "block.glb": block(tall=13)}), tmp_path
    )[0]
    assert one.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("volume", "loose"),
    [
        ({"box": [0, 0, 6, 11, 0, 0, 0, 6, 0, 0, 0, 7]}, 0),
        ({"box": [0, 0, 6, 8, 0, 0, 0, 6, 0, 0, 0, 7]}, 1),
        ({"sphere": [0, 0, 6, 13]}, 0),
        ({"sphere": [0, 0, 6, 9]}, 1),
        ({"region": [*np.radians([LON - 2e-4, LAT - 1e-4, LON + 2e-4, LAT + 1e-4]).tolist(), 9, 23]}, 0),
        ({"region": [*np.radians([LON - 2e-4, LAT - 1e-4, LON + 2e-4, LAT + 1e-4]).tolist(), 9, 15]}, 1),
    ],
    ids=["box", "narrow box", "sphere", "small sphere", "region", "low region"],
)
def test_a_volume_that_does_not_hold_its_content_is_told(volume: dict[str, Any], loose: int, tmp_path: Path) -> None:
    root = tile(transform=on_earth()) | {"boundingVolume": volume}
    assert taken(package({"tileset.json": tileset(root), "block.glb": block()}), tmp_path)[0].loose == loose


def test_names_packed_on_windows_are_read(tmp_path: Path) -> None:
    content = package({"QQQQ/tileset.json": tileset(tile(transform=on_earth())), "QQQQ/block.glb": block()})
    read, _ = taken(content.replace(b"QQQQ", "城区".encode("gb18030")), tmp_path)
    assert [piece.path for piece in read.pieces] == ["tileset.json", "block.glb"]


# What is refused


def _picture(size: tuple[int, int] = (4, 4), kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size).save(out, kind)
    return out.getvalue()


def _embedded() -> bytes:
    document, binary = document_of(block())
    uri = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    return orjson.dumps(document | {"buffers": [{"byteLength": len(binary), "uri": uri}]})


def _changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document, binary = document_of(block())
    change(document)
    return write_glb(document, binary)


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(document: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        node: Any = document
        for name in parents:
            node = node[int(name) if name.isdecimal() else name]
        node[int(last) if last.isdecimal() else last] = value

    return change


GLBS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "scene_wrong_magic"),
    "a page": (b"<html>" + b" " * 60, "scene_wrong_magic"),
    "version 1": (block()[:4] + struct.pack("<I", 1) + block()[8:], "scene_gltf_version"),
    "cut short": (block()[:-4], "scene_truncated"),
    "chunk too long": (block()[:12] + struct.pack("<I", 1 << 31) + block()[16:], "scene_truncated"),
    "no json": (write_glb({}, b"")[:20] + b"not json" + b" " * 0, "scene_truncated"),
    "json of another kind": (_changed(lambda document: document.clear()), "scene_json"),
    "old asset": (_changed(_set("asset.version", "1.0")), "scene_gltf_version"),
    "draco": (_changed(_set("extensionsRequired", ["KHR_draco_mesh_compression"])), "scene_draco"),
    "draco, optional": (_changed(_set("extensionsUsed", ["KHR_draco_mesh_compression"])), "scene_draco"),
    "meshopt": (_changed(_set("extensionsRequired", ["EXT_meshopt_compression"])), "scene_meshopt"),
    "ktx": (_changed(_set("extensionsRequired", ["KHR_texture_basisu"])), "scene_ktx"),
    "rtc": (_changed(_set("extensionsRequired", ["CESIUM_RTC"])), "scene_rtc"),
    "unknown extension": (_changed(_set("extensionsRequired", ["VENDOR_thing"])), "scene_extension"),
    "skin": (_changed(_set("skins", [{"joints": [0]}])), "scene_skin"),
    "another host": (_changed(_set("buffers.0.uri", "https://evil.example/a.bin")), "scene_uri"),
    "a file of the machine": (_changed(_set("buffers.0.uri", "file:///etc/passwd")), "scene_uri"),
    "above": (_changed(_set("buffers.0.uri", "../a.bin")), "scene_uri"),
    "above, written otherwise": (_changed(_set("buffers.0.uri", "%2e%2e/a.bin")), "scene_uri"),
    "missing": (_changed(_set("buffers.0.uri", "a.bin")), "scene_missing"),
    "buffer too long": (_changed(_set("buffers.0.byteLength", 10_000_000)), "scene_outside_buffer"),
    "view outside": (_changed(_set("bufferViews.0.byteLength", 10_000_000)), "scene_outside_buffer"),
    "accessor outside": (_changed(_set("accessors.0.count", 1_000_000)), "scene_outside_buffer"),
    "negative": (_changed(_set("bufferViews.0.byteOffset", -12)), "scene_json"),
    "negative index": (_changed(_set("meshes.0.primitives.0.attributes.POSITION", -1)), "scene_json"),
    "a loop": (_changed(_set("nodes.0.children", [0])), "scene_nodes"),
    "not a number": (_changed(_set("nodes.0.translation", ["a", 0, 0])), "scene_transform"),
    "a matrix of eight": (_changed(_set("nodes.0.matrix", [1.0] * 8)), "scene_transform"),
    "a drawing": (_changed(_set("images", [{"uri": "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode()}])), "scene_image"),
    "a large picture": (
        _changed(_set("images", [{"uri": "data:image/png;base64," + base64.b64encode(_picture((8_200, 1))).decode()}])),
        "scene_image",
    ),
    "nothing to see": (_changed(_set("scenes", [{"nodes": []}])), "scene_empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", GLBS)
def test_a_broken_or_hostile_glb_is_refused_by_its_reason(name: str) -> None:
    content, code = GLBS[name]
    assert refused(lambda: read_glb(content, where="a.glb", files=files_of({}))) == code


def test_positions_that_are_no_numbers_are_refused() -> None:
    document, binary = document_of(block())
    view = document["bufferViews"][document["accessors"][0]["bufferView"]]
    at = view["byteOffset"]
    broken = binary[:at] + struct.pack("<f", float("nan")) + binary[at + 4 :]
    assert refused(lambda: read_glb(write_glb(document, broken), where="", files=files_of({}))) == "scene_number"


@pytest.mark.parametrize("seed", range(6))
def test_bytes_turned_at_random_never_do_more_than_be_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = b3dm_of(block())
    for _ in range(150):
        broken = bytearray(whole)
        for at in rng.integers(0, len(broken), rng.integers(1, 6)):
            broken[at] = rng.integers(0, 256)
        try:
            model, _ = read_b3dm(bytes(broken), where="a.b3dm", files=files_of({}))
        except SceneRefused:
            continue
        assert np.isfinite(model.points).all()
        read_glb(packed(model), where="", files=files_of({}))


TILESETS: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "no volume": ({"boundingVolume": {}}, block(), "scene_volume"),
    "volume of text": ({"boundingVolume": {"box": ["a"] * 12}}, block(), "scene_volume"),
    "error below zero": ({"geometricError": -1}, block(), "scene_volume"),
    "transform of text": ({"transform": ["a"] * 16}, block(), "scene_transform"),
    "another host": ({"content": {"uri": "https://evil.example/a.glb"}}, block(), "scene_uri"),
    "no scheme, another host": ({"content": {"uri": "//evil.example/a.glb"}}, block(), "scene_uri"),
    "above": ({"content": {"uri": "a/../../block.glb"}}, block(), "scene_uri"),
    "backslash": ({"content": {"uri": "a\\block.glb"}}, block(), "scene_uri"),
    "missing": ({"content": {"uri": "other.glb"}}, block(), "scene_missing"),
    "itself": ({"content": {"uri": "tileset.json"}}, block(), "scene_loop"),
    "points": ({}, b"pnts" + bytes(40), "scene_content"),
    "instances": ({}, b"i3dm" + bytes(40), "scene_content"),
    "a page": ({}, b"<!doctype html>", "scene_content"),
    "implicit": ({"implicitTiling": {"subdivisionScheme": "QUADTREE"}}, block(), "scene_implicit"),
    "children no list": ({"children": 5}, block(), "scene_json"),
    "no content at all": ({"content": {"uri": "deep/tileset.json"}}, block(), "scene_missing"),
}


@pytest.mark.parametrize("name", TILESETS)
def test_a_broken_or_hostile_tileset_is_refused_by_its_reason(name: str) -> None:
    change, content, code = TILESETS[name]
    files = {"tileset.json": tileset(tile(transform=on_earth()) | change), "block.glb": content}
    assert refused(lambda: read_tileset("tileset.json", files=files_of(files))) == code


def test_documents_that_lead_back_and_trees_too_deep_or_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {
        "tileset.json": tileset(tile("b/tileset.json")),
        "b/tileset.json": tileset(tile("c.json")),
        "b/c.json": tileset(tile("tileset.json")),
    }
    assert refused(lambda: read_tileset("tileset.json", files=files_of(there))) == "scene_loop"
    deep = tile()
    for _ in range(70):
        deep = tile(None, children=[deep])
    files = {"tileset.json": tileset(deep), "block.glb": block()}
    assert refused(lambda: read_tileset("tileset.json", files=files_of(files))) == "scene_too_deep"
    monkeypatch.setattr("layers.scenes.tileset.MOST_TILES", 3)
    wide = {"tileset.json": tileset(tile(children=[tile(), tile(), tile()])), "block.glb": block()}
    assert refused(lambda: read_tileset("tileset.json", files=files_of(wide))) == "scene_too_many_tiles"


def test_a_package_that_lies_nowhere_or_mixes_is_refused(tmp_path: Path) -> None:
    far = [1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 40_500_000.0, 3_456_000.0, 0, 1]
    content = package({"tileset.json": tileset(tile(transform=far)), "block.glb": block()})
    assert refused(lambda: taken(content, tmp_path)) == "scene_nowhere"
    mixed = tile(children=[tile(transform=on_earth())])
    assert (
        refused(lambda: taken(package({"tileset.json": tileset(mixed), "block.glb": block()}), tmp_path))
        == "scene_nowhere"
    )
    wide = block(ring=[(0, 0), (6_000, 0), (6_000, 9), (0, 9), (0, 0)])
    assert refused(lambda: taken(wide, tmp_path, ending=".glb", kind="model")) == "scene_too_wide"


@pytest.mark.parametrize(
    "uri",
    ["a/b.glb", "./a.glb", "a%20b.glb", "城区/一.glb", "a.glb?v=1"],
    ids=["plain", "dot", "space", "chinese", "query"],
)
def test_addresses_inside_are_read(uri: str) -> None:
    assert inside_path(uri, "x/").startswith("x/")


@pytest.mark.parametrize(
    "uri",
    ["", "/a", "//a/b", "http:a", "a//b", "..", "a/..", "%2e%2e/b", "a\\b", "a%00b", "C:/a", "a#b%23", "x" * 2_000, 5, None],
    ids=[
        "empty", "absolute", "host", "scheme", "empty part", "above", "above inside", "above, escaped", "backslash", "nul", "drive",
        "fragment", "long", "number", "none",
    ],
)  # fmt: skip
def test_addresses_outside_are_refused(uri: Any) -> None:
    assert refused(lambda: inside_path(uri, "x/")) == "scene_uri"


# Apart


def test_a_process_of_its_own_reads_the_same_and_writes_the_files(tmp_path: Path) -> None:
    content = package({"tileset.json": tileset(tile(transform=on_earth())), "block.glb": block()})
    source, whole = tmp_path / "upload", tmp_path / "whole"
    source.write_bytes(content)
    read = read_apart(source, name="街坊.zip", kind="tileset", whole=whole)
    here, there = taken(content, tmp_path)
    assert (read.pieces, read.digest, read.report) == (here.pieces, here.digest, here.report)
    assert whole.read_bytes() == there


def test_a_process_of_its_own_tells_why_it_refuses_and_ends_in_time(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(package({"../a.glb": block()}))
    with pytest.raises(SceneRefused) as caught:
        read_apart(source, name="a.zip", kind="model", whole=tmp_path / "whole")
    assert caught.value.code == "archive_unsafe"
    source.write_bytes(block())
    assert (
        refused(lambda: read_apart(source, name="a.glb", kind="model", whole=tmp_path / "w", seconds=0.01))
        == "scene_reader_died"
    )


def test_members_that_lie_about_themselves_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = package({"tileset.json": tileset(tile(transform=on_earth())), "block.glb": block()})
    with pytest.raises((SourceRefused, SceneRefused)):
        taken(content.replace(block()[20:60], bytes(40)), tmp_path) if block()[20:60] in content else taken(
            content[:-40], tmp_path
        )
    monkeypatch.setattr("layers.scenes.reading.MOST_MEMBERS", 1)
    with pytest.raises(SourceRefused, match="过大"):
        taken(content, tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("layers.scenes.reading.MOST_FILE", 100)
    assert refused(lambda: taken(content, tmp_path)) == "scene_too_large"


def test_a_model_in_json_alone_reads_like_its_binary() -> None:
    one = read_gltf(_embedded(), where="", files=files_of({}))
    two = read_glb(block(), where="", files=files_of({}))
    np.testing.assert_array_equal(one.points, two.points)
