"""Are the kept files as they were sealed? Those that rows name must be there, all must be sealed, and a sample must open."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from geo.errors import CityError
from geo.kept import CHUNK, KeptFolder, kept_folders, open_file
from services.crypto.keeping import key_of_file
from services.crypto.reports import Finding

SAMPLE: Final = 200
MOST_NAMED: Final = 100


def check_files(*, everything: bool = False) -> tuple[int, list[Finding], str]:
    """Look at every kept file and read a sample to its end; return how many, what is wrong, and how much of all was read."""
    findings: list[Finding] = []
    sealed: list[tuple[KeptFolder, Path]] = []
    seen = 0
    for folder in kept_folders():
        lying = {path.relative_to(folder.path).as_posix(): path for path in folder.files()}
        # The rows are asked after the files: one that comes meanwhile is not missed.
        findings += (
            _found("file_missing", folder, name, "不见了") for name in sorted(set(folder.named()) - lying.keys())
        )
        for name, path in lying.items():
            seen += 1
            fault = _fault(folder, name, path)
            if fault is None:
                sealed.append((folder, path))
            else:
                findings.append(fault)
    chosen = sealed if everything or len(sealed) <= SAMPLE else random.sample(sealed, SAMPLE)
    findings += _altered(chosen)
    note = "" if len(chosen) == len(sealed) else f"通读抽查 {len(chosen)} 个，共 {len(sealed)} 个；加 --all 全部通读"
    return seen, findings[:MOST_NAMED], note


def read_through(content: BinaryIO) -> None:
    """Read a stream to its end, so that each piece of it is checked."""
    with content:
        while content.read(CHUNK):
            pass


def _fault(folder: KeptFolder, name: str, path: Path) -> Finding | None:
    try:
        if key_of_file(path):
            return None
    except FileNotFoundError:
        return None  # purged since it was listed
    except CityError:
        return _found("file_altered", folder, name, "被改动过，打不开")
    return _found("file_plain", folder, name, "没有加密，请运行 ./run keys reseal")


def _altered(files: list[tuple[KeptFolder, Path]]) -> Iterator[Finding]:
    for folder, path in files:
        try:
            read_through(open_file(path))
        except FileNotFoundError:
            continue
        except CityError as fault:
            yield _found(fault.code, folder, path.relative_to(folder.path).as_posix(), f"打不开：{fault.message}")


def _found(code: str, folder: KeptFolder, name: str, said: str) -> Finding:
    return Finding(code, folder.title, f"{folder.title} {name} {said}", f"{folder.key}/{name}")
