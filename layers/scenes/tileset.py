"""3D Tiles 1.0 and 1.1: the tree of tiles read and checked with every content, and where all of it lies. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from geo.crs.earth_centred import from_earth_centred
from layers.scenes.gltf import (
    MOST_JSON,
    Files,
    FloatArray,
    Model,
    inside_path,
    matrix_of,
    read_b3dm,
    read_glb,
    read_gltf,
)
from layers.scenes.placing import Extent, extent_of
from layers.scenes.refusals import SceneRefused

MOST_TILES: Final = 50_000
DEEPEST: Final = 64
VERSIONS: Final = frozenset({"0.0", "1.0", "1.1"})
EXTENSIONS: Final = frozenset({"3DTILES_content_gltf"})
GLB, GLTF, B3DM, JSON = "model/gltf-binary", "model/gltf+json", "application/octet-stream", "application/json"
SLACK: Final = 0.02
"""A volume may be smaller than its content by so much of its size, as writers round."""
_UP: Final = {
    "Y": np.array([[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
    "Z": np.eye(4),
    "X": np.array([[0.0, 0, -1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
}
"""What takes positions of a content with an axis up to those of tiles, whose z is up."""


@dataclass(slots=True)
class Tileset:
    """A tileset that was read: where it lies, how much it is, the media types of all the files it needs by their paths.

    ``loose`` tiles have a volume smaller than their content: viewers may leave them out.
    """

    extent: Extent
    tiles: int = 0
    triangles: int = 0
    loose: int = 0
    needs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Tile:
    said: Mapping[str, Any]
    above: FloatArray
    where: str
    up: str
    depth: int
    within: tuple[str, ...]


def read_tileset(entry: str, *, files: Files) -> Tileset:
    """Read a tileset and all that it names in its package, from its first document. Raises ``SceneRefused``."""
    found = Tileset(Extent())
    waiting = [_root(entry, np.eye(4), 0, (), found, files)]
    while waiting:
        tile = waiting.pop()
        found.tiles += 1
        if found.tiles > MOST_TILES:
            raise SceneRefused("scene_too_many_tiles", f"超过 {MOST_TILES} 块")
        if tile.depth > DEEPEST:
            raise SceneRefused("scene_too_deep", tile.where)
        try:
            waiting += _opened(tile, found, files)
        except (KeyError, TypeError, AttributeError, ValueError):
            raise SceneRefused("scene_json", tile.where) from None
    if found.extent.empty:
        raise SceneRefused("scene_empty", entry)
    return found


def _root(path: str, above: FloatArray, depth: int, within: tuple[str, ...], found: Tileset, files: Files) -> _Tile:
    """Return the first tile of a document; ``within`` are the documents that lead to it."""
    if path in within:
        raise SceneRefused("scene_loop", path)
    content = files(path)
    if content is None:
        raise SceneRefused("scene_missing", path)
    if len(content) > MOST_JSON:
        raise SceneRefused("scene_json_large", path)
    try:
        said = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
        version, required = str(said["asset"]["version"]), said.get("extensionsRequired", [])
        root, up = said["root"], str(said["asset"].get("gltfUpAxis", "Y")).upper()
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise SceneRefused("scene_json", path) from None
    if version not in VERSIONS or up not in _UP:
        raise SceneRefused("scene_tiles_version", path)
    for name in required:
        if name not in EXTENSIONS:
            raise SceneRefused("scene_extension", f"{path}，{name}")
    found.needs[path] = JSON
    return _Tile(root, above, path, up, depth, (*within, path))


def _opened(tile: _Tile, found: Tileset, files: Files) -> Iterator[_Tile]:
    """Read what a tile shows, and yield the tiles below it, also those of another document."""
    said, where = tile.said, tile.where
    if "implicitTiling" in said or "3DTILES_implicit_tiling" in said.get("extensions", {}):
        raise SceneRefused("scene_implicit", where)
    matrix = tile.above @ matrix_of(said["transform"], where) if "transform" in said else tile.above
    volume = volume_of(said["boundingVolume"], where)
    _figure(said["geometricError"], where)
    below: list[_Tile] = []
    for one in [said["content"]] if "content" in said else said.get("contents", []):
        path = inside_path(one.get("uri") or one.get("url"), _folder(where))
        if path.lower().endswith(".json"):
            below.append(_root(path, matrix, tile.depth + 1, tile.within, found, files))
            continue
        points = _content(path, matrix, tile.up, found, files)
        found.loose += not _holds(volume, matrix, points)
        found.extent.take(extent_of(points))
    below += [_Tile(child, matrix, where, tile.up, tile.depth + 1, tile.within) for child in said.get("children", [])]
    yield from below


def _content(path: str, matrix: FloatArray, up: str, found: Tileset, files: Files) -> FloatArray:
    """Read a content, and return its vertices in the coordinates of the tileset."""
    data = files(path)
    if data is None:
        raise SceneRefused("scene_missing", path)
    centre = np.zeros(3)
    model: Model
    if data[:4] == b"b3dm":
        model, centre = read_b3dm(data, where=path, files=files, folder=_folder(path))
        found.needs[path] = B3DM
    elif data[:4] == b"glTF":
        model = read_glb(data, where=path, files=files, folder=_folder(path))
        found.needs[path] = GLB
    elif path.lower().endswith(".gltf"):
        model = read_gltf(data, where=path, files=files, folder=_folder(path))
        found.needs[path] = GLTF
    else:
        raise SceneRefused("scene_content", path)
    found.needs |= model.needs
    found.triangles += model.triangles
    turn = matrix @ _shift(centre) @ _UP[up]
    points: FloatArray = model.points @ turn[:3, :3].T + turn[:3, 3]
    return points


def _shift(centre: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, 3] = centre
    return matrix


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def volume_of(said: Mapping[str, Any], where: str) -> tuple[str, FloatArray]:
    """Return the kind and the figures of a bounding volume. Raises ``SceneRefused`` for one that encloses nothing."""
    for kind, count in (("box", 12), ("region", 6), ("sphere", 4)):
        if kind not in said:
            continue
        values = said[kind]
        if not isinstance(values, list) or len(values) != count:
            raise SceneRefused("scene_volume", where)
        figures = np.array([_figure(one, where, negative=True) for one in values])
        wrong = (kind == "sphere" and figures[3] < 0) or (
            kind == "region" and (figures[1] > figures[3] or figures[4] > figures[5] or abs(figures[:4]).max() > 6.2832)
        )
        if wrong:
            raise SceneRefused("scene_volume", where)
        return kind, figures
    raise SceneRefused("scene_volume", where)


def _figure(value: Any, where: str, *, negative: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise SceneRefused("scene_volume", where)
    if value < 0 and not negative:
        raise SceneRefused("scene_volume", where)
    return float(value)


def _holds(volume: tuple[str, FloatArray], matrix: FloatArray, points: FloatArray) -> bool:
    """Say whether a volume encloses points, given in the coordinates of the tileset, but for a little slack."""
    kind, figures = volume
    if kind == "region":
        lon, lat, height = from_earth_centred(points)
        west, south, east, north, low, high = figures
        across, tall = max(north - south, 1e-7) * SLACK, max(high - low, 1.0) * SLACK
        lam, phi = np.radians(lon), np.radians(lat)
        return bool(
            (lam >= west - across).all() and (lam <= east + across).all() and (phi >= south - across).all()
            and (phi <= north + across).all() and (height >= low - tall).all() and (height <= high + tall).all()
        )  # fmt: skip
    middle = matrix[:3, :3] @ figures[:3] + matrix[:3, 3]
    if kind == "sphere":
        radius = figures[3] * np.linalg.norm(matrix[:3, :3], axis=0).max()
        return bool((np.linalg.norm(points - middle, axis=1) <= radius * (1 + SLACK) + SLACK).all())
    axes = (matrix[:3, :3] @ figures[3:].reshape(3, 3).T).T
    for axis in axes:
        half = float(np.linalg.norm(axis))
        reach = np.abs((points - middle) @ (axis / half if half else axis))
        if half and (reach > half * (1 + SLACK) + SLACK).any():
            return False
    return True
