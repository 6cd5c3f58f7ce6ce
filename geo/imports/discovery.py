"""Which declared sources stand in the files somebody names, and why each other file is not imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from geo.imports.faults import SourceRefused
from geo.imports.spec import Manifest, PartSpec, SourceSpec, read_manifest

MANIFEST: Final = "quantu-import.toml"
KNOWN: Final = Path(__file__).with_name("known.toml")
UNDECLARED: Final = f"没有声明：请在同一文件夹的 {MANIFEST} 中说明它的坐标系和各列含义"


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A declared source with the file of each of its parts."""

    spec: SourceSpec
    files: tuple[Path, ...]


@dataclass(slots=True)
class Found:
    """What was recognised: sources, and files that are not imported, each with the reason."""

    sources: list[FoundSource] = field(default_factory=list)
    not_imported: dict[Path, str] = field(default_factory=dict)


@cache
def known_sources() -> Manifest:
    """Return the declarations that come with Quantu."""
    return read_manifest(KNOWN)


def find_sources(paths: Sequence[Path]) -> Found:
    """Recognise the sources of files and folders; raises ``SourceRefused`` for a missing path or a faulty manifest."""
    found = Found()
    for path in paths:
        if path.is_dir():
            manifest = read_manifest(path / MANIFEST) if (path / MANIFEST).exists() else known_sources()
            _match(manifest, sorted(_files_in(path)), found)
        elif path.is_file():
            beside = path.parent / MANIFEST
            _match(read_manifest(beside) if beside.exists() else known_sources(), [path], found)
        else:
            raise SourceRefused("file_missing", str(path))
    return found


def _files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _match(manifest: Manifest, files: Sequence[Path], found: Found) -> None:
    taken = set[Path]()
    for spec in manifest.sources:
        chosen = [_file_of(part, files) for part in spec.parts]
        present = [file for file in chosen if file]
        if not present:
            continue
        taken.update(present)
        whole = [file or _beside(part, present[0]) for part, file in zip(spec.parts, chosen, strict=True)]
        complete = tuple(file for file in whole if file)
        if len(complete) == len(spec.parts):
            found.sources.append(FoundSource(spec, complete))
        else:
            missing = "、".join(part.file for part, file in zip(spec.parts, whole, strict=True) if not file)
            found.not_imported.update(dict.fromkeys(present, f"同一来源还缺文件：{missing}"))
    for file in files:
        if file not in taken:
            reason = next((why for pattern, why in manifest.ignored.items() if file.match(pattern)), UNDECLARED)
            found.not_imported[file] = reason


def _file_of(part: PartSpec, files: Sequence[Path]) -> Path | None:
    return next((file for file in files if file.match(part.file)), None)


def _beside(part: PartSpec, file: Path) -> Path | None:
    """Return a part's file beside another part's, so that naming one file of a source is enough."""
    sibling = file.parent / Path(part.file).name
    return sibling if sibling.is_file() else None
