"""glTF 2.0 and b3dm: read under limits, checked to the last accessor, packed into one glb. Pure.

Positions are metres in the frame of the model, y upwards.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image

from layers.scenes.refusals import SceneRefused

FloatArray = npt.NDArray[np.float64]
Files = Callable[[str], bytes | None]
"""Gives a file of the package by its path, none for one that is not there."""

MOST_JSON: Final = 32_000_000
MOST_NODES: Final = 100_000
MOST_PIXELS: Final = 8_192
DEEPEST: Final = 200
EXTENSIONS: Final = frozenset({
    "KHR_materials_unlit", "KHR_texture_transform", "KHR_mesh_quantization", "KHR_lights_punctual", "EXT_texture_webp",
    "KHR_materials_emissive_strength", "KHR_materials_ior", "KHR_materials_specular", "KHR_materials_clearcoat",
    "KHR_materials_transmission", "KHR_materials_volume", "KHR_materials_sheen", "KHR_materials_iridescence",
    "KHR_materials_anisotropy",
})  # fmt: skip
_REFUSED: Final = {
    "KHR_draco_mesh_compression": "scene_draco", "EXT_meshopt_compression": "scene_meshopt",
    "KHR_meshopt_compression": "scene_meshopt", "KHR_texture_basisu": "scene_ktx", "CESIUM_RTC": "scene_rtc",
}  # fmt: skip
_KINDS: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_PARTS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_IMAGES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(slots=True)
class Model:
    """A model that was read: its document, its buffers, the files it needs beside itself, and what it shows.

    ``points`` (n, 3) are all its vertices; ``names`` those of its nodes, in their order.
    """

    document: dict[str, Any]
    buffers: list[bytes]
    images: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    needs: dict[str, str] = field(default_factory=dict)
    points: FloatArray = field(default_factory=lambda: np.zeros((0, 3)))
    triangles: int = 0
    names: tuple[str, ...] = ()


def inside_path(uri: Any, folder: str) -> str:
    """Return the path in the package that a relative address means, seen from a folder of it ('' or ending in a slash).

    Raises ``SceneRefused`` for a scheme, another host, an absolute path, one that leaves its folder, and signs no name has.
    """
    if not isinstance(uri, str) or not uri or len(uri) > 1_000 or _SCHEME.match(uri):
        raise SceneRefused("scene_uri", str(uri)[:60])
    path = unquote(uri.partition("?")[0])
    parts = path.split("/")
    odd = any(ord(sign) < 32 or sign in "\\:#\x7f" for sign in path)
    if odd or path.startswith("/") or ".." in parts or "" in parts:
        raise SceneRefused("scene_uri", uri[:60])
    return folder + "/".join(part for part in parts if part != ".")


def read_glb(data: bytes, *, where: str, files: Files, folder: str = "") -> Model:
    """Read a binary model. Raises ``SceneRefused``."""
    return _model(*_chunks(data, where), where=where, files=files, folder=folder)


def read_gltf(data: bytes, *, where: str, files: Files, folder: str = "") -> Model:
    """Read a model whose document is JSON by itself. Raises ``SceneRefused``."""
    if len(data) > MOST_JSON:
        raise SceneRefused("scene_json_large", where)
    return _model(data, None, where=where, files=files, folder=folder)


def read_b3dm(data: bytes, *, where: str, files: Files, folder: str = "") -> tuple[Model, FloatArray]:
    """Read a batched model of a tileset, and return it with the centre (3) its positions are relative to."""
    if len(data) < 28 or data[:4] != b"b3dm":
        raise SceneRefused("scene_wrong_magic", where)
    version, length, *sizes = struct.unpack_from("<6I", data, 4)
    start = 28 + sum(sizes)
    if version != 1 or length != len(data) or start + 12 > length:
        raise SceneRefused("scene_truncated", where)
    table = _table(data[28 : 28 + sizes[0]], where)
    binary = data[28 + sizes[0] : 28 + sizes[0] + sizes[1]]
    glb = data[start:]
    if glb[:4] == b"glTF" and len(glb) >= 12:
        glb = glb[: struct.unpack_from("<I", glb, 8)[0]]
    return read_glb(glb, where=where, files=files, folder=folder), _centre(table, binary, where)


def write_glb(document: Mapping[str, Any], binary: bytes) -> bytes:
    """Return a binary model of a document whose only buffer, if it has one, is ``binary``."""
    said = orjson.dumps(document)
    said += b" " * (-len(said) % 4)
    body = binary + b"\0" * (-len(binary) % 4)
    parts = [struct.pack("<I4s", len(said), b"JSON"), said]
    if body:
        parts += [struct.pack("<I4s", len(body), b"BIN\0"), body]
    return struct.pack("<4sII", b"glTF", 2, 12 + sum(map(len, parts))) + b"".join(parts)


def packed(model: Model) -> bytes:
    """Return a model with its buffers and pictures as one glb, which needs no other file."""
    document = dict(model.document)
    body, starts = bytearray(), []
    for content in model.buffers:
        body += b"\0" * (-len(body) % 4)
        starts.append(len(body))
        body += content
    views = [
        {**view, "buffer": 0, "byteOffset": view.get("byteOffset", 0) + starts[view["buffer"]]}
        for view in document.get("bufferViews", [])
    ]
    images = [dict(one) for one in document.get("images", [])]
    for at, (kind, content) in model.images.items():
        body += b"\0" * (-len(body) % 4)
        kept = {key: value for key, value in images[at].items() if key != "uri"}
        images[at] = {**kept, "bufferView": len(views), "mimeType": kind}
        views.append({"buffer": 0, "byteOffset": len(body), "byteLength": len(content)})
        body += content
    document |= {"images": images} if images else {}
    if body:
        document |= {"buffers": [{"byteLength": len(body)}], "bufferViews": views}
    return write_glb(document, bytes(body))


def picture_kind(content: bytes, where: str) -> str:
    """Return the media type of a picture. Raises ``SceneRefused`` for other kinds and for one that is too large."""
    try:
        with Image.open(io.BytesIO(content), formats=list(_IMAGES)) as picture:
            width, height, kind = picture.width, picture.height, _IMAGES[str(picture.format)]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        if content[:12] == b"\xabKTX 20\xbb\r\n\x1a\n":
            raise SceneRefused("scene_ktx", where) from None
        raise SceneRefused("scene_image", where) from None
    if max(width, height) > MOST_PIXELS:
        raise SceneRefused("scene_image", f"{where}，{width} × {height}")
    return kind


def _chunks(data: bytes, where: str) -> tuple[bytes, bytes | None]:
    if len(data) < 20 or data[:4] != b"glTF":
        raise SceneRefused("scene_wrong_magic", where)
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise SceneRefused("scene_gltf_version", where)
    if length != len(data):
        raise SceneRefused("scene_truncated", where)
    found: list[tuple[bytes, bytes]] = []
    at = 12
    while at < length:
        if at + 8 > length:
            raise SceneRefused("scene_truncated", where)
        size, kind = struct.unpack_from("<I4s", data, at)
        if at + 8 + size > length:
            raise SceneRefused("scene_truncated", where)
        found.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size
    if not found or found[0][0] != b"JSON":
        raise SceneRefused("scene_wrong_magic", where)
    if len(found[0][1]) > MOST_JSON:
        raise SceneRefused("scene_json_large", where)
    return found[0][1], found[1][1] if len(found) > 1 and found[1][0] == b"BIN\0" else None


def _model(said: bytes, binary: bytes | None, *, where: str, files: Files, folder: str) -> Model:
    document = _parsed(said, where)
    try:
        _check_version(document, where)
        model = Model(document, [])
        for at, buffer in enumerate(document.get("buffers", [])):
            model.buffers.append(_buffer(buffer, binary if at == 0 else None, model, where, files, folder))
        _check_views(model, where)
        _check_images(model, where, files, folder)
        _place(model, where)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OverflowError):
        raise SceneRefused("scene_json", where) from None
    if not model.points.size:
        raise SceneRefused("scene_empty", where)
    return model


def _parsed(said: bytes, where: str) -> dict[str, Any]:
    try:
        document = orjson.loads(said.rstrip(b" \0\n\r\t"))
    except orjson.JSONDecodeError:
        raise SceneRefused("scene_json", where) from None
    if not isinstance(document, dict):
        raise SceneRefused("scene_json", where)
    return document


def _check_version(document: Mapping[str, Any], where: str) -> None:
    if not str(document["asset"]["version"]).startswith("2."):
        raise SceneRefused("scene_gltf_version", where)
    required = set(document.get("extensionsRequired", []))
    # Who packs with these puts the real geometry and pictures there even where he calls them optional.
    for name in [*required, *document.get("extensionsUsed", [])]:
        if name in _REFUSED and (name in required or name != "KHR_texture_basisu"):
            raise SceneRefused(_REFUSED[name], where)
    for name in required - EXTENSIONS:
        raise SceneRefused("scene_extension", f"{where}，{name}")
    if document.get("skins") or any(
        part.get("targets") for mesh in document.get("meshes", []) for part in mesh["primitives"]
    ):
        raise SceneRefused("scene_skin", where)


def _buffer(
    buffer: Mapping[str, Any], binary: bytes | None, model: Model, where: str, files: Files, folder: str
) -> bytes:
    length = _whole(buffer["byteLength"])
    content = binary if "uri" not in buffer else _content(buffer["uri"], model, where, files, folder)
    if content is None or length > len(content):
        raise SceneRefused("scene_outside_buffer", where)
    return content[:length]


def _content(uri: str, model: Model, where: str, files: Files, folder: str) -> bytes:
    """Return what an address of a model holds; a file beside it is noted among what it needs."""
    if uri.startswith("data:"):
        _, marked, text = uri.partition(";base64,")
        if not marked:
            raise SceneRefused("scene_uri", where)
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise SceneRefused("scene_json", where) from None
    path = inside_path(uri, folder)
    content = files(path)
    if content is None:
        raise SceneRefused("scene_missing", path)
    model.needs.setdefault(path, "application/octet-stream")
    return content


def _check_views(model: Model, where: str) -> None:
    for view in model.document.get("bufferViews", []):
        begin, length = _whole(view.get("byteOffset", 0)), _whole(view["byteLength"])
        if begin + length > len(model.buffers[_whole(view["buffer"])]):
            raise SceneRefused("scene_outside_buffer", where)
    for accessor in model.document.get("accessors", []):
        _span(model, accessor, where)


def _check_images(model: Model, where: str, files: Files, folder: str) -> None:
    for at, image in enumerate(model.document.get("images", [])):
        if "uri" not in image:
            content = _view(model, _whole(image["bufferView"]))
            kind = picture_kind(content, where)
            if image.get("mimeType") not in (None, kind):
                raise SceneRefused("scene_image", where)
            continue
        content = _content(image["uri"], model, where, files, folder)
        kind = picture_kind(content, where)
        model.images[at] = kind, content
        if not image["uri"].startswith("data:"):
            model.needs[inside_path(image["uri"], folder)] = kind


def _view(model: Model, at: int) -> bytes:
    view = model.document["bufferViews"][at]
    begin = view.get("byteOffset", 0)
    content: bytes = model.buffers[view["buffer"]][begin : begin + view["byteLength"]]
    return content


def _span(model: Model, accessor: Mapping[str, Any], where: str) -> tuple[int, int, int]:
    """Return (first byte in its view, bytes from item to item, items) of an accessor that lies in its view; zeros without one."""
    count, kind = _whole(accessor["count"]), np.dtype(_KINDS[accessor["componentType"]])
    size = kind.itemsize * _PARTS[accessor["type"]]
    if "sparse" in accessor or count < 1:
        raise SceneRefused("scene_json", where)
    if "bufferView" not in accessor:
        return 0, 0, count
    view = model.document["bufferViews"][_whole(accessor["bufferView"])]
    begin, stride = _whole(accessor.get("byteOffset", 0)), _whole(view.get("byteStride", 0)) or size
    if stride < size or begin + stride * (count - 1) + size > view["byteLength"]:
        raise SceneRefused("scene_outside_buffer", where)
    return begin, stride, count


def _positions(model: Model, at: int, where: str) -> FloatArray:
    accessor = model.document["accessors"][at]
    begin, stride, count = _span(model, accessor, where)
    if accessor["type"] != "VEC3":
        raise SceneRefused("scene_json", where)
    if not stride:
        return np.zeros((1, 3))
    kind = np.dtype(_KINDS[accessor["componentType"]])
    content = np.frombuffer(_view(model, accessor["bufferView"]), dtype=np.uint8)
    rows = np.lib.stride_tricks.as_strided(
        content[begin:], shape=(count, 3 * kind.itemsize), strides=(stride, 1), writeable=False
    )
    values = np.ascontiguousarray(rows).view(kind).astype(np.float64)
    if accessor.get("normalized") and kind.kind in "iu":
        values = np.maximum(values / np.iinfo(kind).max, -1.0)
    if not np.isfinite(values).all():
        raise SceneRefused("scene_number", where)
    return values


def _place(model: Model, where: str) -> None:
    """Walk the scene that is shown, and gather its vertices and triangles; every node stands in one place only."""
    nodes, meshes = model.document.get("nodes", []), model.document.get("meshes", [])
    if len(nodes) > MOST_NODES:
        raise SceneRefused("scene_too_deep", where)
    scenes = model.document.get("scenes", [])
    roots = scenes[_whole(model.document.get("scene", 0))].get("nodes", []) if scenes else []
    waiting = [(_whole(at), np.eye(4), 0) for at in roots]
    met: set[int] = set()
    found: list[FloatArray] = []
    parts: dict[int, FloatArray] = {}
    while waiting:
        at, above, depth = waiting.pop()
        if at in met or depth > DEEPEST:
            raise SceneRefused("scene_nodes", where)
        met.add(at)
        matrix = above @ _matrix(nodes[at], where)
        waiting += [(_whole(child), matrix, depth + 1) for child in nodes[at].get("children", [])]
        if "mesh" not in nodes[at]:
            continue
        for part in meshes[_whole(nodes[at]["mesh"])]["primitives"]:
            position = _whole(part["attributes"]["POSITION"])
            if position not in parts:
                parts[position] = _positions(model, position, where)
            found.append(parts[position] @ matrix[:3, :3].T + matrix[:3, 3])
            model.triangles += _triangles(model, part)
    points = np.concatenate(found) if found else np.zeros((0, 3))
    if not np.isfinite(points).all():
        raise SceneRefused("scene_number", where)
    model.points = points
    model.names = tuple(str(node["name"])[:60] for node in nodes if node.get("name"))


def _triangles(model: Model, part: Mapping[str, Any]) -> int:
    accessor = part.get("indices", part["attributes"]["POSITION"])
    count = int(model.document["accessors"][_whole(accessor)]["count"])
    mode = part.get("mode", 4)
    return count // 3 if mode == 4 else max(0, count - 2) if mode in (5, 6) else 0


def _matrix(node: Mapping[str, Any], where: str) -> FloatArray:
    if "matrix" in node:
        return matrix_of(node["matrix"], where)
    matrix = np.eye(4)
    x, y, z, w = _numbers(node.get("rotation", (0.0, 0.0, 0.0, 1.0)), 4, where)
    length = np.sqrt(x * x + y * y + z * z + w * w) or 1.0
    x, y, z, w = x / length, y / length, z / length, w / length
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] = np.array(turn) * _numbers(node.get("scale", (1.0, 1.0, 1.0)), 3, where)
    matrix[:3, 3] = _numbers(node.get("translation", (0.0, 0.0, 0.0)), 3, where)
    return matrix


def matrix_of(values: Any, where: str) -> FloatArray:
    """Return the matrix (4, 4) of sixteen numbers, column by column. Raises ``SceneRefused``."""
    matrix: FloatArray = _numbers(values, 16, where).reshape(4, 4).T
    if not np.array_equal(matrix[3], [0.0, 0.0, 0.0, 1.0]):
        raise SceneRefused("scene_transform", where)
    return matrix


def _numbers(values: Any, count: int, where: str) -> FloatArray:
    if (
        not isinstance(values, list | tuple)
        or len(values) != count
        or any(isinstance(one, bool) or not isinstance(one, int | float) for one in values)
    ):
        raise SceneRefused("scene_transform", where)
    found = np.array(values, dtype=np.float64)
    if not np.isfinite(found).all():
        raise SceneRefused("scene_transform", where)
    return found


def _whole(value: Any) -> int:
    """Return a whole number that is not negative; a negative index would silently mean another item."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(value)
    return value


def _table(said: bytes, where: str) -> dict[str, Any]:
    return _parsed(said, where) if said.strip(b" \0") else {}


def _centre(table: Mapping[str, Any], binary: bytes, where: str) -> FloatArray:
    centre = table.get("RTC_CENTER", (0.0, 0.0, 0.0))
    if isinstance(centre, dict):
        begin = centre.get("byteOffset")
        if not isinstance(begin, int) or begin < 0 or begin + 12 > len(binary):
            raise SceneRefused("scene_outside_buffer", where)
        return np.array(struct.unpack_from("<3f", binary, begin), dtype=np.float64)
    return _numbers(centre, 3, where)
