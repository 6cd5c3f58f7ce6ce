"""What runs here: our sources, templates and static files, the programs we start, and the files that say who may reach them.

A person signs them as they are after an installation; later every file must still be the same, none missing and none added.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from django.conf import settings
from django.utils import timezone

from geo.errors import Conflict
from services.crypto.chain import canonical
from services.crypto.house import house_keys
from services.crypto.reports import Finding

PROGRAMS: Final = "重要程序"
CONTROLS: Final = "设备访问控制"
SOURCES: Final = ("geo", "tiles", "routing", "layers", "services", "web", "fixtures")
ALONE: Final = ("run", "Procfile", "manage.py", "pyproject.toml", "requirements.txt")
LEFT_OUT: Final = frozenset({"__pycache__", "node_modules"})
STARTED: Final = ("nginx", "redis-server", "openssl")
MOST_NAMED: Final = 100
_KINDS: Final = {"programs": PROGRAMS, "controls": CONTROLS}


def program_files() -> dict[str, Path]:
    """Return the files of the programs by name: sources by their path in the checkout, programs we start by their own."""
    root = Path(settings.ROOT)
    found = {str(path.relative_to(root)): path for name in SOURCES for path in _below(root / name)}
    found |= {name: root / name for name in ALONE if (root / name).is_file()}
    return found | {str(path): path for path in _started()}


def control_files() -> dict[str, Path]:
    """Return the files of the machine that say who may reach it, those of the settings that can be read."""
    paths = (Path(each) for each in settings.DEVICE_CONTROLS)
    return {str(path): path for path in paths if os.access(path, os.R_OK)}


def sign_programs() -> int:
    """Sign the files as they are now, in place of what was signed before, and return how many there are."""
    listed = {"programs": _digests(program_files()), "controls": _digests(control_files())}
    body = {"at": timezone.now().isoformat(), **listed}
    key_id, signature = house_keys().sign(canonical(["manifest", body]))
    path = Path(settings.PROGRAM_MANIFEST)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({**body, "key_id": key_id, "signature": signature.hex()}), encoding="utf-8")
    draft.replace(path)
    return sum(len(files) for files in listed.values())


def check_programs(kind: str) -> tuple[int, list[Finding], str]:
    """Compare files (``programs`` or ``controls``) with what was signed; return how many, what is wrong, and when it was signed.

    Raises ``Conflict`` where nothing has been signed yet.
    """
    title, signed = _KINDS[kind], _signed()
    if signed is None:
        return 0, [Finding("manifest_forged", title, "程序清单的签名无效或清单损坏，可能被替换")], ""
    files = program_files() if kind == "programs" else control_files()
    listed, now = signed[kind], _digests(files)
    findings = [
        *(Finding("file_missing", title, f"文件不见了：{name}", name) for name in sorted(listed.keys() - now.keys())),
        *(Finding("file_added", title, f"多出的文件：{name}", name) for name in sorted(now.keys() - listed.keys())),
        *(
            Finding("file_changed", title, f"文件被改动：{name}", name)
            for name in sorted(listed.keys() & now.keys())
            if listed[name] != now[name]
        ),
    ]
    return (
        len(listed),
        findings[:MOST_NAMED],
        f"清单签名于 {timezone.localtime(datetime.fromisoformat(signed['at'])):%Y-%m-%d %H:%M}",
    )


def _signed() -> dict[str, Any] | None:
    try:
        data = json.loads(Path(settings.PROGRAM_MANIFEST).read_text(encoding="utf-8"))
        body = {name: data[name] for name in ("at", "programs", "controls")}
        genuine = house_keys().verify(data["key_id"], canonical(["manifest", body]), bytes.fromhex(data["signature"]))
    except FileNotFoundError:
        raise Conflict("manifest_missing", "还没有签过程序清单。确认安装无误后，请运行 ./run verify --sign。") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return body if genuine else None


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        yield from (Path(place) / name for name in sorted(names) if not name.endswith(".pyc"))


def _started() -> Iterator[Path]:
    """Yield the programs we start, each as the file it really is."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin"))
    named = [Path(found) for name in STARTED if (found := shutil.which(name, path=places))]
    postgres = Path(settings.POSTGRES_BIN)
    named += [postgres / name for name in ("postgres", "pg_dump", "pg_restore")]
    named += [Path(sys.executable), Path(sys.prefix) / "bin" / "celery", Path(sys.prefix) / "bin" / "granian"]
    yield from {path.resolve(): None for path in named if path.is_file()}


def _digests(files: dict[str, Path]) -> dict[str, str]:
    return {name: _digest(path) for name, path in files.items()}


def _digest(path: Path) -> str:
    digest = hashes.Hash(hashes.SM3())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.finalize().hex()
