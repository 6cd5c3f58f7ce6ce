"""A source as a declaration: which files, which columns mean what, which datum; read from TOML and checked word by word."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, Final

from geo.crs import System
from geo.errors import CityError
from geo.imports.faults import SourceRefused
from geo.imports.models import Family, Provenance
from geo.imports.reasons import ROW_REASONS

FORMATS: Final = ("csv", "xlsx", "geojson", "osm_roads", "shapefile", "geopackage")
_ENDINGS: Final = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".xlsx": "xlsx",
    ".geojson": "geojson",
    ".geojson.gz": "geojson",
    ".osm.pbf": "osm_roads",
    ".zip": "shapefile",
    ".gpkg": "geopackage",
}
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class ValueMap:
    """The words of a column and what they mean; ``otherwise`` is a value, ``"keep"``, ``"blank"`` or ``"refuse:<reason>"``."""

    map: Mapping[str, Any]
    otherwise: Any = "keep"


@dataclass(frozen=True, slots=True)
class Rule:
    """When ``field`` contains one of the words (or is blank), and every ``when`` holds: set fields, or refuse the row."""

    field: str
    contains: tuple[str, ...] = ()
    blank: bool = False
    when: Mapping[str, Any] = dataclass_field(default_factory=dict)
    set: Mapping[str, Any] = dataclass_field(default_factory=dict)
    refuse: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Fill ``field`` with column ``take`` of another file, from the one row whose columns equal the row's fields."""

    field: str
    file: str
    match: Mapping[str, str]
    take: str
    missing: str = "no_code"


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One file of a source. ``file`` is a pattern of its path; ``ext_id`` names columns (none: a digest of the row).

    ``columns`` maps field → column (none: columns are fields); ``x`` and ``y`` are the columns of the position.
    """

    file: str
    format: str
    datum: System
    ext_id: tuple[str, ...] = ()
    prefix: str = ""
    x: str = ""
    y: str = ""
    layer: str = ""
    columns: Mapping[str, str] = dataclass_field(default_factory=dict)
    constants: Mapping[str, Any] = dataclass_field(default_factory=dict)
    templates: Mapping[str, str] = dataclass_field(default_factory=dict)
    values: Mapping[str, ValueMap] = dataclass_field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    lookups: tuple[Lookup, ...] = ()

    def required_columns(self) -> set[str]:
        """Return the columns the file must have."""
        position = {name for name in (self.x, self.y) if name}
        return {*self.columns.values(), *self.ext_id, *position}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A declared source: what it is, where it comes from, and the files it is read from."""

    key: str
    title: str
    family: Family
    parts: tuple[PartSpec, ...]
    provenance: Provenance = Provenance.REAL
    licence: str = ""
    attribution: str = ""
    area_code: str = ""
    as_of: datetime.date | None = None

    @property
    def datum(self) -> System:
        """Return the datum of the first file, which stands for the source."""
        return self.parts[0].datum if self.parts else System.CGCS2000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one ``quantu-import.toml`` declares: sources, and files that are known and not for import, with the reason."""

    sources: tuple[SourceSpec, ...]
    ignored: Mapping[str, str]


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest; raises ``SourceRefused("manifest_invalid")`` saying where it is wrong."""
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise _invalid(f"{path.name}：{fault}") from fault
    return manifest_of(data)


def manifest_of(data: Mapping[str, Any]) -> Manifest:
    """Check a parsed manifest; raises ``SourceRefused("manifest_invalid")``."""
    _only(data, {"source", "ignored", "words"}, "文件")
    sources = tuple(_source(_with_words(entry, data.get("words", {}))) for entry in data.get("source", []))
    keys = [source.key for source in sources]
    for key in keys:
        if keys.count(key) > 1:
            raise _invalid(f"来源 {key} 声明了两次")
    return Manifest(sources, dict(data.get("ignored", {})))


def _with_words(entry: Mapping[str, Any], words: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a source's declaration with the named word lists put where its ``values`` name them."""
    filled = dict(entry)
    for holder in [filled, *(filled.get("parts") or [])]:
        for name, values in holder.get("values", {}).items():
            if isinstance(values, Mapping) and isinstance(values.get("map"), str):
                if values["map"] not in words:
                    raise _invalid(f"没有名为 {values['map'][:40]} 的词表（字段 {name}）")
                holder["values"][name] = {**values, "map": words[values["map"]]}
    return filled


def _source(data: Mapping[str, Any]) -> SourceSpec:
    key = str(data.get("key", ""))
    if not _KEY.fullmatch(key):
        raise _invalid(f"来源的 key “{key[:40]}” 只能用小写字母、数字和连字符")
    _only(data, _SOURCE_WORDS | _PART_WORDS, f"来源 {key}")
    shared = {word: data[word] for word in _PART_WORDS if word in data}
    parts = data.get("parts") or [{}]
    as_of = data.get("as_of")
    if as_of is not None and not isinstance(as_of, datetime.date):
        raise _invalid(f"来源 {key} 的 as_of 应写成 2024-09-01 这样的日期")
    try:
        family, provenance = Family(str(data.get("family"))), Provenance(data.get("provenance", "real"))
    except ValueError as fault:
        raise _invalid(f"来源 {key}：{fault}") from fault
    return SourceSpec(
        key=key,
        title=str(data.get("title", key))[:200],
        family=family,
        parts=tuple(_part({**shared, **part}, key) for part in parts),
        provenance=provenance,
        licence=str(data.get("licence", "")),
        attribution=str(data.get("attribution", "")),
        area_code=str(data.get("area", "")),
        as_of=as_of,
    )


def _part(data: Mapping[str, Any], key: str) -> PartSpec:
    _only(data, _PART_WORDS, f"来源 {key} 的文件")
    file = data.get("file")
    if not isinstance(file, str) or not file:
        raise _invalid(f"来源 {key} 没有写 file")
    format_ = data.get("format") or format_of(file)
    if format_ not in FORMATS:
        raise _invalid(f"来源 {key} 的文件格式不认识：{file}")
    if "datum" not in data:
        raise _invalid(f"来源 {key} 没有声明坐标系 datum")
    try:
        datum = System.parse(str(data["datum"]))
    except CityError as fault:
        raise _invalid(f"来源 {key}：{fault.message}") from fault
    return PartSpec(
        file=file,
        format=format_,
        datum=datum,
        ext_id=tuple(data.get("ext_id", ())),
        prefix=str(data.get("prefix", "")),
        x=str(data.get("x", "")),
        y=str(data.get("y", "")),
        layer=str(data.get("layer", "")),
        columns=dict(data.get("columns", {})),
        constants=dict(data.get("constants", {})),
        templates=dict(data.get("templates", {})),
        values={name: _value_map(entry, key) for name, entry in data.get("values", {}).items()},
        rules=tuple(_rule(entry, key) for entry in data.get("rules", [])),
        lookups=tuple(_lookup(entry, key) for entry in data.get("lookups", [])),
    )


def _value_map(data: Mapping[str, Any], key: str) -> ValueMap:
    _only(data, {"map", "otherwise"}, f"来源 {key} 的 values")
    otherwise = data.get("otherwise", "keep")
    if isinstance(otherwise, str) and otherwise.startswith("refuse:"):
        _reason(otherwise.removeprefix("refuse:"), key)
    return ValueMap(dict(data.get("map", {})), otherwise)


def _rule(data: Mapping[str, Any], key: str) -> Rule:
    _only(data, {"field", "contains", "blank", "when", "set", "refuse"}, f"来源 {key} 的 rules")
    if data.get("refuse"):
        _reason(data["refuse"], key)
    if not data.get("field") or not (data.get("set") or data.get("refuse")):
        raise _invalid(f"来源 {key} 的 rules 需要 field，以及 set 或 refuse")
    return Rule(
        field=data["field"],
        contains=tuple(data.get("contains", ())),
        blank=bool(data.get("blank", False)),
        when=dict(data.get("when", {})),
        set=dict(data.get("set", {})),
        refuse=str(data.get("refuse", "")),
    )


def _lookup(data: Mapping[str, Any], key: str) -> Lookup:
    words = {"field", "file", "match", "take", "missing"}
    _only(data, words, f"来源 {key} 的 lookups")
    if not {"field", "file", "match", "take"} <= set(data):
        raise _invalid(f"来源 {key} 的 lookups 需要 field、file、match 和 take")
    _reason(str(data.get("missing", "no_code")), key)
    return Lookup(**{word: data[word] for word in words if word in data})


def format_of(name: str) -> str:
    """Return the format a file name tells, '' when its ending is none we read."""
    lowered = name.lower()
    return next((format_ for ending, format_ in _ENDINGS.items() if lowered.endswith(ending)), "")


def _only(data: Mapping[str, Any], allowed: set[str] | frozenset[str], where: str) -> None:
    if not isinstance(data, Mapping):
        raise _invalid(f"{where}的写法不对")
    strange = sorted(set(data) - allowed)
    if strange:
        raise _invalid(f"{where}里有不认识的词：{'、'.join(strange)[:100]}")


def _reason(code: str, key: str) -> None:
    if code not in ROW_REASONS:
        raise _invalid(f"来源 {key} 用了不存在的拒绝原因 {code}")


def _invalid(what: str) -> SourceRefused:
    return SourceRefused("manifest_invalid", what)


_SOURCE_WORDS: Final = frozenset(
    {"key", "title", "family", "provenance", "licence", "attribution", "area", "as_of", "parts"}
)
_PART_WORDS: Final = frozenset(
    {
        *("file", "format", "datum", "ext_id", "prefix", "x", "y", "layer"),
        *("columns", "constants", "templates", "values", "rules", "lookups"),
    }
)
