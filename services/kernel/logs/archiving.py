"""Lines as files: what was found as CSV, and a month as lines of JSON, sealed or plain, with a manifest of digests."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from typing import IO, Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from geo.errors import BadInput, Conflict, NotFound
from geo.regions.models import RegionVersion
from geo.scope import Scope
from geo.spreadsheets import BOM, plain_cell
from services.access.actions import record_audit
from services.access.models import AuditAct
from services.access.queries import check_city_duty
from services.crypto.house import house_keys
from services.crypto.sealing import seal, unseal
from services.kernel.logs.models import LogLine
from services.kernel.logs.queries import Asked, export_lines
from services.kernel.logs.registry import kind_words
from services.kernel.logs.spec import CHANNELS, OUTCOMES, RETENTION
from services.kernel.logs.storage import bounds_of, month_named, partitions
from services.kernel.logs.wording import label_of, worded

CONFIGURE: Final = "logs.configure"
HEAD: Final = (
    "时间", "做了什么", "人员", "对象类型", "对象", "对象编号", "区域", "渠道", "结果", "毫秒", "网络地址", "请求编号", "改动",
    "类别",
)  # fmt: skip
PLAIN: Final = (
    "id", "kept", "at", "source", "source_id", "act", "what", "actor", "account", "object_kind", "object_id", "object_name",
    "region_id", "organisation_id", "channel", "request_id", "outcome", "ms", "address", "changes", "detail",
)  # fmt: skip


def as_csv(asked: Asked, *, scope: Scope, request: HttpRequest | None = None) -> Iterator[str]:
    """Yield what was found as CSV that a spreadsheet opens, nothing in it a formula; that it was taken is audited."""
    lines = export_lines(asked, scope=scope)
    record_audit(act=AuditAct.LOGS_EXPORTED, actor=scope.actor, request=request, detail={"format": "csv"})
    regions = dict(RegionVersion.objects.filter(edition__state="published").values_list("region_id", "name"))
    kinds = kind_words()
    return _written(_cells(line, regions, kinds) for line in lines)


def archive_month(
    *, kept: str, month: str, sealed: bool, scope: Scope, request: HttpRequest | None = None
) -> IO[bytes]:
    """Return a ZIP of a class's month: ``lines.ndjson`` (sealed: ``lines.sm4``) and ``manifest.json`` with counts and SHA-256.

    The manifest is signed by the house's key. Needs ``logs.configure`` over the whole city. Raises ``BadInput``, ``NotFound``.
    """
    check_city_duty(scope, CONFIGURE)
    if kept not in RETENTION:
        raise BadInput("class_unknown", "请从列表里选日志类别。")
    day = month_named(month)
    if not any(each.kept == kept and each.month == day for each in partitions(sized=False)):
        raise NotFound("month_unknown", "没有这个月的日志，可能已过保存期限。")
    record_audit(
        act=AuditAct.LOGS_EXPORTED,
        actor=scope.actor,
        request=request,
        detail={"kept": kept, "month": month, "sealed": sealed},
    )
    first, after = bounds_of(day)
    rows = LogLine.objects.filter(kept=kept, at__gte=first, at__lt=after).order_by("at", "id").values(*PLAIN)
    with ExitStack() as stack:
        out = stack.enter_context(tempfile.TemporaryFile())
        _pack(out, rows.iterator(chunk_size=5_000), kept=kept, month=month, sealed=sealed, actor=scope.actor)
        out.seek(0)
        stack.pop_all()  # from here on it belongs to the answer, which closes it when it is sent
    return out


def read_archive(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the lines of an archive, sealed or plain. Raises ``Conflict`` for one that is not as its manifest was signed."""
    with zipfile.ZipFile(file) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        signature = bytes.fromhex(manifest.pop("signature"))
        key_id = manifest.pop("key_id")
        data = packed.read(manifest["file"])
    if not house_keys().verify(key_id, _said(manifest), signature) or sha256(data).hexdigest() != manifest["sha256"]:
        raise Conflict("archive_altered", "这份归档与清单不符，可能被改动过，不能读取。")
    for number, line in enumerate(data.decode().splitlines()):
        field = f"logs:{manifest['kept']}:{manifest['month']}"
        yield json.loads(unseal(line, field=field, owner=UUID(int=number)) if manifest["sealed"] else line)


def _pack(out: IO[bytes], rows: Iterable[dict[str, Any]], *, kept: str, month: str, sealed: bool, actor: str) -> None:
    name, digest, count = ("lines.sm4" if sealed else "lines.ndjson"), sha256(), 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open(name, "w", force_zip64=True) as stream:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False, default=str)
                if sealed:
                    line = seal(line, field=f"logs:{kept}:{month}", owner=UUID(int=count))
                data = line.encode() + b"\n"
                digest.update(data)
                stream.write(data)
                count += 1
        manifest: dict[str, Any] = {
            "kept": kept, "month": month, "file": name, "lines": count, "sha256": digest.hexdigest(), "sealed": sealed,
            "made_at": timezone.now().isoformat(), "made_by": actor,
        }  # fmt: skip
        key_id, signature = house_keys().sign(_said(manifest))
        signed = manifest | {"key_id": key_id, "signature": signature.hex()}
        file.writestr("manifest.json", json.dumps(signed, ensure_ascii=False, indent=1))


def _said(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, ensure_ascii=False, sort_keys=True).encode()


def _cells(line: LogLine, regions: dict[int, str], kinds: dict[str, str]) -> list[str]:
    kind = line.object_kind
    changes = "；".join(
        f"{label_of(kind, key)}：{worded(kind, key, before)} → {worded(kind, key, after)}"
        for key, (before, after) in (line.changes or {}).items()
    )
    return [
        f"{timezone.localtime(line.at):%Y-%m-%d %H:%M:%S}", line.what, line.actor, kinds.get(line.object_kind, line.object_kind),
        line.object_name, line.object_id, regions.get(line.region_id or 0, ""), CHANNELS.get(line.channel, line.channel),
        OUTCOMES[line.outcome], "" if line.ms is None else str(line.ms), line.address or "", line.request_id, changes[:2_000],  # type: ignore[index]
        RETENTION[line.kept].name,  # type: ignore[index]
    ]  # fmt: skip


def _written(rows: Iterable[list[str]]) -> Iterator[str]:
    yield BOM
    yield _line(list(HEAD))
    for row in rows:
        yield _line([str(plain_cell(cell)) for cell in row])


def _line(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(row)
    return text.getvalue()
