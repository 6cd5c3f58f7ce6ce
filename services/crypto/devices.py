"""Log files of the machines: what is new in them is signed piece by piece; later the same bytes must still be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from services.crypto.chain import ChainedTable, canonical
from services.crypto.house import house_keys
from services.crypto.models import LogPiece
from services.crypto.reports import Finding

TITLE: Final = "设备日志"
CHUNK: Final = 1 << 20
PIECES: Final = ChainedTable(
    "log_pieces",
    "设备日志签名",
    "crypto.LogPiece",
    ("path", "inode", "start", "end", "digest", "at", "key_id", "signature"),
)


def device_logs() -> tuple[Path, ...]:
    """Return the log files that are kept, those of the settings; whether they are there or not."""
    return tuple(Path(each) for each in settings.DEVICE_LOGS)


@transaction.atomic
def sign_device_logs() -> int:
    """Sign what is new in every log file that can be read, whole lines only, and return how many pieces that made."""
    return sum(_sign_new(path) for path in device_logs() if _readable(path))


def check_device_logs() -> tuple[int, list[Finding], str]:
    """Read every signed piece again; return how many there are, what is wrong, and which files are not there to be kept."""
    findings: list[Finding] = []
    pieces = LogPiece.objects.order_by("path", "inode", "start")
    for piece in pieces.iterator(chunk_size=1_000):
        if (finding := _fault(piece)) is not None:
            findings.append(finding)
    absent = [path.name for path in device_logs() if not _readable(path)]
    return pieces.count(), findings, f"读不到、没有纳入：{'、'.join(absent)}" if absent else ""


def _sign_new(path: Path) -> int:
    status = path.stat()
    last = LogPiece.objects.filter(path=str(path), inode=status.st_ino).aggregate(end=Max("end"))["end"] or 0
    end = _end_of_line(path, last, status.st_size)
    if end <= last:
        return 0
    digest, at = _digest(path, last, end), timezone.now()
    key_id, signature = house_keys().sign(_signed_bytes(str(path), status.st_ino, last, end, digest, at))
    LogPiece.objects.create(
        path=str(path),
        inode=status.st_ino,
        start=last,
        end=end,
        digest=digest,
        at=at,
        key_id=key_id,
        signature=signature,
    )
    return 1


def _fault(piece: LogPiece) -> Finding | None:
    path = Path(piece.path)
    signed = _signed_bytes(piece.path, piece.inode, piece.start, piece.end, bytes(piece.digest), piece.at)
    where = f"{path.name} 第 {piece.start}–{piece.end} 字节（{piece.at.astimezone():%Y-%m-%d %H:%M} 签名）"
    if not house_keys().verify(piece.key_id, signed, bytes(piece.signature)):
        return Finding("piece_forged", TITLE, f"{where}的签名无效", piece.pk)
    here = next(_by_inode(path, piece.inode), None)
    if here is None:
        return Finding("log_missing", TITLE, f"{path.name} 被删除或替换，{where}找不到了", piece.pk)
    if here.stat().st_size < piece.end:
        return Finding("log_cut", TITLE, f"{where}被截掉", piece.pk)
    if _digest(here, piece.start, piece.end) != bytes(piece.digest):
        return Finding("log_changed", TITLE, f"{where}被改动", piece.pk)
    return None


def _by_inode(path: Path, inode: int) -> Iterator[Path]:
    """Yield the file of an inode: at its path, or beside it under another name after a rotation."""
    if path.exists() and path.stat().st_ino == inode:
        yield path
    if path.parent.is_dir():
        yield from (
            each for each in path.parent.glob(f"{path.name}*") if each.is_file() and each.stat().st_ino == inode
        )


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _end_of_line(path: Path, start: int, size: int) -> int:
    """Return where the last whole line ends; a line that is still being written waits."""
    with path.open("rb") as file:
        at = size
        while at > start:
            begin = max(start, at - 65_536)
            file.seek(begin)
            found = file.read(at - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            at = begin
    return start


def _digest(path: Path, start: int, end: int) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left and (chunk := file.read(min(CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.finalize()


def _signed_bytes(path: str, inode: int, start: int, end: int, digest: bytes, at: object) -> bytes:
    return canonical(["piece", path, inode, start, end, digest, at])
