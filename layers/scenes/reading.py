"""An upload of a scene, read in a process apart: its entry found, every file it needs checked and put one after the other.

What nothing names is left out, so a page, a script or a drawing in the package is never kept.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import orjson

from geo.errors import CityError
from geo.imports.apart import confine, run_apart
from geo.imports.faults import SourceRefused
from geo.imports.readers.bytes import checked_zip
from layers.scenes.gltf import Files, packed, read_glb, read_gltf
from layers.scenes.placing import MODEL_WIDEST_M, TILESET_WIDEST_M, Extent, extent_of, standing
from layers.scenes.refusals import SceneRefused
from layers.scenes.tileset import GLB, read_tileset

MOST_UPLOAD: Final = 250_000_000
MOST_MEMBERS: Final = 20_000
MOST_FILE: Final = 64_000_000
MOST_TOTAL: Final = 800_000_000
MEMORY: Final = 3_000_000_000
SECONDS: Final = 600
ENDINGS: Final = (".zip", ".glb")
TILESET, MODEL = "tileset", "model"
ENTRIES: Final = {TILESET: "tileset.json", MODEL: "model.glb"}
DEGREE_M: Final = 111_000.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of a scene: its path, its media type, and which bytes of the whole it is."""

    path: str
    media: str
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Package:
    """What was read of an upload: its files, their digest together, what they reach, and figures for people.

    ``left_out`` files nothing names; ``loose`` tiles have a volume smaller than their content; ``parts`` name nodes of a model.
    """

    pieces: tuple[Piece, ...]
    digest: str
    extent: Extent
    tiles: int
    triangles: int
    loose: int
    left_out: int
    parts: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Return how many bytes all its files have."""
        return sum(piece.bytes for piece in self.pieces)

    @property
    def report(self) -> dict[str, Any]:
        """Return what people are told of it, as plain values."""
        return {
            "tiles": self.tiles, "triangles": self.triangles, "loose": self.loose, "left_out": self.left_out,
            "parts": list(self.parts[:200]), "extent": self.extent.kept(),
        }  # fmt: skip


def check_name(name: str) -> None:
    """Raise ``SceneRefused`` for a file of an ending that is not read."""
    if not name.lower().endswith(ENDINGS):
        raise SceneRefused("scene_file_kind")


def read_apart(source: Path, *, name: str, kind: str, whole: Path, seconds: float = SECONDS) -> Package:
    """Read an upload of a name in a process with limits, and write its files one after the other to ``whole``.

    Raises ``SceneRefused`` and ``SourceRefused`` (of archives) with what is wrong.
    """
    check_name(name)
    with tempfile.TemporaryDirectory(prefix="quantu-scene-") as folder:
        answer = Path(folder) / "answer"
        asked = [str(source.resolve()), Path(name).suffix.lower(), kind, str(whole.resolve()), str(answer)]
        if not run_apart("layers.scenes.reading", asked, seconds=seconds) or not answer.exists():
            raise SceneRefused("scene_reader_died")
        return _told(orjson.loads(answer.read_bytes()))


def read_upload(source: Path, *, ending: str, kind: str, whole: BinaryIO) -> Package:
    """Read an upload here and now, and write its files one after the other to ``whole``. Raises as ``read_apart``."""
    if ending == ".glb":
        if kind != MODEL:
            raise SceneRefused("scene_other_kind")
        return _model(source.read_bytes(), ENTRIES[MODEL], lambda path: None, 1, whole)
    with checked_zip(source, most_members=MOST_MEMBERS) as archive:
        members = {_name_of(one): one for one in archive.infolist() if not one.is_dir()}
        if sum(one.file_size for one in members.values()) > MOST_TOTAL:
            raise SceneRefused("scene_too_large")

        def files(path: str) -> bytes | None:
            return _content(archive, members[path]) if path in members else None

        entry = _entry(members, kind)
        if kind == MODEL:
            content = files(entry) or b""
            return _model(content, entry, files, len(members), whole)
        return _tileset(entry, files, len(members), whole)


def _tileset(entry: str, files: Files, members: int, whole: BinaryIO) -> Package:
    found = read_tileset(entry, files=files)
    if found.extent.geographic and _widest(found.extent) * DEGREE_M > TILESET_WIDEST_M:
        raise SceneRefused("scene_too_wide")
    folder = _folder(entry)
    pieces, digest, offset = [], hashlib.sha256(), 0
    for path, media in found.needs.items():
        content = files(path)
        if content is None or not path.startswith(folder):
            raise SceneRefused("scene_uri", path)
        named = ENTRIES[TILESET] if path == entry else path.removeprefix(folder)
        pieces.append(Piece(named, media, offset, len(content)))
        digest.update(f"{named}\n{len(content)}\n".encode() + content)
        whole.write(content)
        offset += len(content)
        if offset > MOST_TOTAL:
            raise SceneRefused("scene_too_large")
    return Package(
        tuple(pieces),
        digest.hexdigest(),
        found.extent,
        found.tiles,
        found.triangles,
        found.loose,
        members - len(pieces),
    )


def _model(content: bytes, entry: str, files: Files, members: int, whole: BinaryIO) -> Package:
    read = read_gltf if entry.lower().endswith(".gltf") else read_glb
    model = read(content, where=entry, files=files, folder=_folder(entry))
    extent = extent_of(standing(model.points))
    if extent.geographic:
        raise SceneRefused("scene_nowhere")
    if _widest(extent) > MODEL_WIDEST_M:
        raise SceneRefused("scene_too_wide")
    alone = content if read is read_glb and not model.needs else packed(model)
    whole.write(alone)
    piece = Piece(ENTRIES[MODEL], GLB, 0, len(alone))
    return Package(
        (piece,), hashlib.sha256(alone).hexdigest(), extent, 1, model.triangles, 0, members - 1 - len(model.needs),
        tuple(dict.fromkeys(model.names)),
    )  # fmt: skip


def _widest(extent: Extent) -> float:
    west, south, east, north = extent.outline.bounds
    return float(max(east - west, north - south))


def _entry(members: Mapping[str, Any], kind: str) -> str:
    """Return the file a viewer begins with: the tileset nearest to the top, or the only model. Raises ``SceneRefused``."""
    sets = [path for path in members if PurePosixPath(path).name.lower() == ENTRIES[TILESET]]
    models = [path for path in members if PurePosixPath(path).suffix.lower() in (".glb", ".gltf")]
    if kind == MODEL:
        if sets:
            raise SceneRefused("scene_other_kind")
        candidates = models
    else:
        if not sets and len(models) == 1:
            raise SceneRefused("scene_other_kind")
        least = min((path.count("/") for path in sets), default=0)
        candidates = [path for path in sets if path.count("/") == least]
    if len(candidates) > 1:
        raise SceneRefused("scene_two_entries", "、".join(sorted(candidates)[:3]))
    if not candidates:
        raise SceneRefused("scene_no_entry")
    return candidates[0]


def _name_of(member: zipfile.ZipInfo) -> str:
    """Return the path of a member; packers for Windows in China write names in GB18030 and do not say so."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.filename
    return name.replace("\\", "/").removeprefix("./")


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.file_size > MOST_FILE:
        raise SceneRefused("scene_too_large", member.filename)
    try:
        content = archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as fault:
        raise SourceRefused("file_unreadable", member.filename[:80]) from fault
    return _opened(content, member.filename) if content[:2] == b"\x1f\x8b" else content


def _opened(content: bytes, name: str) -> bytes:
    """Open a tile that was packed for servers that say so in a header; ours are sent as they are."""
    opening = zlib.decompressobj(wbits=31)
    try:
        plain = opening.decompress(content, MOST_FILE + 1)
    except zlib.error as fault:
        raise SceneRefused("scene_truncated", name) from fault
    if len(plain) > MOST_FILE:
        raise SceneRefused("scene_too_large", name)
    if not opening.eof:
        raise SceneRefused("scene_truncated", name)
    return plain


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]


def _told(found: dict[str, Any]) -> Package:
    if "refused" in found:
        fault = SceneRefused("scene_json")
        fault.code, fault.message = found["refused"], found["message"]
        raise fault
    pieces = tuple(Piece(**each) for each in found.pop("pieces"))
    extent, parts = Extent.read(found.pop("extent")), tuple(found.pop("parts"))
    return Package(pieces=pieces, extent=extent, parts=parts, **found)


def _read(source: str, ending: str, kind: str, whole: str, answer: str) -> None:
    confine(memory=MEMORY, cpu_seconds=SECONDS, output=MOST_TOTAL + 10_000_000)
    try:
        with Path(whole).open("wb") as out:
            package = read_upload(Path(source), ending=ending, kind=kind, whole=out)
    except CityError as fault:
        found: dict[str, Any] = {"refused": fault.code, "message": fault.message}
    else:
        found = {
            "pieces": [asdict(piece) for piece in package.pieces], "digest": package.digest,
            "extent": package.extent.kept(), "tiles": package.tiles, "triangles": package.triangles,
            "loose": package.loose, "left_out": package.left_out, "parts": package.parts,
        }  # fmt: skip
    Path(answer).write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    _read(*sys.argv[1:])
