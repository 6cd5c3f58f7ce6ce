"""Rotation among kept files: plain ones are sealed, data keys are sealed anew by the newest key; no content is written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from geo.errors import Conflict, Unavailable
from geo.jobs.progress import Progress
from geo.kept import kept_folders
from services.crypto.house import house_keys
from services.crypto.keeping import kept_files, key_of_file, renew_file
from services.crypto.port import Purpose
from services.crypto.sealing import newest_id

BATCH: Final = 100
MOST_NAMED: Final = 100


def renew_files(progress: Progress, cursor: dict[str, Any]) -> dict[str, Any]:
    """Go over all kept files from the place of ``cursor`` on, which is saved every hundred files, and return it.

    A file that does not open is named among ``broken``, and the work goes on; a missing holder of keys ends it.
    """
    keys = house_keys()
    newest = newest_id(Purpose.SEAL, keys=keys)
    cursor = {"files_seen": 0, "files_renewed": 0, **cursor, "file_place": list(cursor.get("file_place", (0, "")))}
    for at, folder in enumerate(kept_folders()):
        if at < cursor["file_place"][0]:
            continue
        after = cursor["file_place"][1] if at == cursor["file_place"][0] else ""
        for path in folder.files():
            place = path.relative_to(folder.path).as_posix()
            if path <= folder.path / after:
                continue
            try:
                cursor["files_renewed"] += folder.drawn and _dropped(path) or renew_file(path, keys=keys, newest=newest)
            except FileNotFoundError:
                pass  # purged since it was listed
            except (Conflict, Unavailable) as fault:
                if isinstance(fault, Unavailable) and fault.code != "key_unknown":
                    raise
                if len(cursor["broken"]) < MOST_NAMED:
                    cursor["broken"] = [*cursor["broken"], {"table": folder.title, "row": place, "code": fault.code}]
            cursor["files_seen"] += 1
            cursor["file_place"] = [at, place]
            if cursor["files_seen"] % BATCH == 0:
                progress.save(cursor)
                progress.step(progress.job.progress, f"{folder.title}：已看 {cursor['files_seen']} 个文件")
        cursor["file_place"] = [at + 1, ""]
    progress.save(cursor)
    return cursor


def files_of_key(key_id: str) -> Iterator[Path]:
    """Yield the files that only this key opens. One whose head was altered is opened by none."""
    for _, path in kept_files():
        try:
            if key_of_file(path) == key_id:
                yield path
        except (Conflict, FileNotFoundError):
            continue


def file_uses_of_keys() -> Counter[str]:
    """Return how many files there are by the id of the key that sealed their data key; '' for plain ones."""
    uses: Counter[str] = Counter()
    for _, path in kept_files():
        try:
            uses[key_of_file(path)] += 1
        except (Conflict, FileNotFoundError):
            continue
    return uses


def _dropped(path: Path) -> bool:
    """Delete a plain drawing, which is made again when somebody looks; say whether it was one."""
    if key_of_file(path):
        return False
    path.unlink(missing_ok=True)
    return True
