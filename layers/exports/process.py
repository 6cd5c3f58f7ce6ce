"""Taking a layer away as a file: the rows that may be seen, in one snapshot, with what must be said of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from geo.crs import System, notes
from geo.errors import BadInput, TooLarge, Unavailable
from geo.imports.queries import attribution, published_sources, shows_invented
from geo.scope import Scope
from layers.archives import write_pmtiles
from layers.exports.formats import FORMATS, SYSTEMS, FileFormat, short_name, system_for
from layers.exports.tables import Batch, Table, batch_of, table_of
from layers.exports.writing import Contents, write_file
from layers.processes.narrowing import NARROWING_INPUTS, narrowing_of, said_of
from layers.processes.spec import Asked, Input, Made, Plan, ProcessSpec
from layers.reading import Count, Narrowing, Row, count_rows, read_page, stream_rows
from layers.registry import layer
from layers.spec import Attribute, LayerSpec
from layers.styles.queries import style_for
from layers.tiling import layer_edition

TILED: Final = "pmtiles"
REPORT: Final = "html"
MOST_ROWS: Final = 2_000_000
BATCH: Final = 10_000
COUNTED: Final = 100_000
"""Rows counted exactly for the progress; beyond, the planner's estimate does."""
STATEMENT_MS: Final = 600_000
_KINDS: Final = {"point": "Point", "line": "MultiLineString", "polygon": "MultiPolygon"}


def plan_export(inputs: Mapping[str, Any], scope: Scope) -> Plan:
    """Say what is going to be written. Raises what a layer, format, system, attribute or condition that cannot be raises."""
    spec = layer(inputs["layer"], scope=scope)
    format = FORMATS[inputs["format"]]
    system_for(format, inputs.get("crs", ""))
    attributes_of(spec, inputs.get("attributes"))
    narrowing_of(inputs, spec, scope=scope)
    if format.key == TILED and any(name in inputs for name in NARROWING_INPUTS):
        raise BadInput(
            "archive_whole", "PMTiles 只能整层导出。请不填区划、范围和图形，或换一种格式。", parameter="format"
        )
    return Plan(f"{spec.title} · {format.title}", layer=spec.key)


def attributes_of(spec: LayerSpec, names: Sequence[str] | None) -> tuple[Attribute, ...]:
    """Return the named attributes in the order of the layer, all without names. Raises ``BadInput`` for one it has not."""
    unknown = sorted(set(names or ()) - {one.name for one in spec.attributes})
    if unknown:
        known = [one.name for one in spec.attributes]
        raise BadInput("attribute_unknown", f"图层“{spec.title}”没有属性 {'、'.join(unknown)}。", known=known)
    return tuple(one for one in spec.attributes if names is None or one.name in names)


def write_export(asked: Asked) -> Made:
    """Write the file that was asked for."""
    inputs, scope = asked.inputs, asked.scope
    spec, format = layer(inputs["layer"], scope=scope), FORMATS[inputs["format"]]
    system = system_for(format, inputs.get("crs", ""))
    if format.key == TILED:
        return _write_tiles(asked, spec, format, system)
    narrowing = narrowing_of(inputs, spec, scope=scope)
    path = asked.folder / f"{spec.key}.{format.ending}"
    with _one_snapshot():
        table = table_of(attributes_of(spec, inputs.get("attributes")), _kind(spec, scope), system)
        said = about(spec, system, taken=said_of(inputs, scope=scope))
        blanks = _has(spec, scope, narrowing & Narrowing("t.geom IS NULL OR ST_IsEmpty(t.geom)"))
        rows = _Counted(asked, spec, table, narrowing, _expected(asked, spec, narrowing))
        with closing(rows.batches()) as batches:
            contents = Contents(spec.key, spec.title, table, batches, said, blanks)
            if format.key == REPORT:
                from layers.exports.reports import write_report  # folium is slow to import, and few need it

                write_report(path, contents, spec, style_for(spec))
            else:
                write_file(format.key, path, contents)
    asked.step(1.0, "正在保存文件")
    columns = [{"name": one.name, "title": one.title, "kind": one.kind} for one in table.columns]
    told = {"said": list(said.items()), "columns": columns, "crs": str(system), "format": format.key}
    return Made(path, _file_name(spec, format, system), format.media_type, rows.count, told)


def _write_tiles(asked: Asked, spec: LayerSpec, format: FileFormat, system: System) -> Made:
    """Write the tiles of a layer as they are drawn: of its tiled attributes, at all its zooms."""
    path = asked.folder / f"{spec.key}.{format.ending}"
    said = about(spec, system)
    count = count_rows(spec, scope=asked.scope, exact_up_to=COUNTED)
    made = write_pmtiles(spec, path, scope=asked.scope, from_zoom=spec.min_zoom, to_zoom=spec.max_zoom, step=asked.step)
    said |= {"版本": made.edition, "级别": f"{spec.min_zoom}–{spec.max_zoom}", "瓦片": f"{made.tiles:,} 块"}
    columns = [{"name": one.name, "title": one.title, "kind": one.kind} for one in spec.attributes if one.tiled]
    told = {"said": list(said.items()), "columns": columns, "crs": str(system), "format": format.key}
    return Made(path, _file_name(spec, format, system), format.media_type, count.number, told)


def about(spec: LayerSpec, system: System, *, taken: str = "") -> dict[str, str]:
    """Return what must be said of rows that leave the house, by its title."""
    as_of = published_sources().filter(family__in=spec.families).aggregate(newest=Max("as_of"))["newest"]
    return {
        "图层": f"{spec.title}（{spec.key}）",
        "内容": spec.summary,
        "取了哪些": taken or "全部",
        "版本": layer_edition(spec),
        "信息截至": as_of.isoformat() if as_of else "",
        "导出时间": timezone.localtime().isoformat(timespec="seconds"),
        "坐标系": system.label,
        "坐标说明": "".join(notes(System.CGCS2000, system)),
        "来源": spec.source,
        "署名": attribution() or "圈图",
        "提示": "含演示数据，不能用于业务办理。" if shows_invented() else "",
    }


class _Counted:
    """The rows as batches of a file, counted, told of, and no more than ``MOST_ROWS``."""

    def __init__(
        self, asked: Asked, spec: LayerSpec, table: Table, narrowing: Narrowing, expected: Count | None
    ) -> None:
        self.asked, self.spec, self.table, self.narrowing, self.expected = asked, spec, table, narrowing, expected
        self.count = 0

    def batches(self) -> Generator[Batch]:
        """Yield the rows; close it when nothing more is wanted."""
        with closing(self._read()) as rows:
            for some in rows:
                self.count += len(some)
                if self.count > MOST_ROWS:
                    raise TooLarge(
                        "export_too_large", f"一次最多导出 {MOST_ROWS:,} 行。请按区划分几次导出。", most=MOST_ROWS
                    )
                yield batch_of(some, self.table)
                self._tell()

    def _read(self) -> Generator[list[Row]]:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_MS}")  # counting left a shorter one behind
        yield from stream_rows(
            self.spec,
            scope=self.asked.scope,
            narrowing=self.narrowing,
            attributes=self.table.own,
            batch=BATCH,
        )

    def _tell(self) -> None:
        if self.expected is None:
            self.asked.step(0.5, f"已写 {self.count:,} 行")
            return
        total = max(self.expected.number, self.count)
        about = "" if self.expected.exact else "约 "
        self.asked.step(0.99 * self.count / total, f"已写 {self.count:,} 行，共{about}{total:,} 行")


def _expected(asked: Asked, spec: LayerSpec, narrowing: Narrowing) -> Count | None:
    """Return how many rows there will be; none where counting takes longer than it is worth."""
    asked.step(0.0, "正在数要写的行")
    try:
        return count_rows(spec, scope=asked.scope, narrowing=narrowing, exact_up_to=COUNTED)
    except Unavailable:
        return None


def _kind(spec: LayerSpec, scope: Scope) -> str:
    """Return what the geometries of a layer are in a file: lines and areas always of many parts, points only where some are."""
    if spec.geometry != "point":
        return _KINDS[spec.geometry]
    return "MultiPoint" if _has(spec, scope, Narrowing("GeometryType(t.geom) = 'MULTIPOINT'")) else "Point"


def _has(spec: LayerSpec, scope: Scope, narrowing: Narrowing) -> bool:
    return bool(read_page(spec, scope=scope, limit=1, narrowing=narrowing, attributes=()).rows)


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Let all that is read here be of one moment, unless a transaction is open already, which then says so itself."""
    fresh = not connection.in_atomic_block
    with transaction.atomic():
        if fresh:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _file_name(spec: LayerSpec, format: FileFormat, system: System) -> str:
    return f"{spec.title.replace('/', '／')}-{short_name(system)}-{timezone.localtime():%Y%m%d-%H%M}.{format.ending}"


EXPORT: Final = ProcessSpec(
    key="export",
    title="导出图层",
    summary="把一个图层写成文件，可以只要一个区划、一个范围或圈出的图形，可以选属性、格式和坐标系。",
    keywords=("导出", "下载", "格式转换"),
    inputs={
        "layer": Input("图层", {"type": "string", "minLength": 1, "maxLength": 100}, "写图层的标识，见 /layers。"),
        "format": Input("格式", {"type": "string", "enum": list(FORMATS)}, f"请用：{'、'.join(FORMATS)}。"),
        "crs": Input(
            "坐标系",
            {"type": "string", "enum": [str(one) for one in SYSTEMS]},
            f"请用：{'、'.join(SYSTEMS)}；GCJ-02、BD-09 不能整批导出。",
            required=False,
        ),
        "attributes": Input(
            "属性",
            {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 200, "uniqueItems": True},
            "属性名的列表；不写就是全部。",
            required=False,
        ),
        **NARROWING_INPUTS,
    },
    result=Input(
        "文件", {"type": "string", "contentEncoding": "binary", "contentMediaType": "application/octet-stream"}
    ),
    plan=plan_export,
    run=write_export,
)
