"""Writes of the areas of a draft: drawn, changed, named, cut, joined, widened, thinned, repaired, taken out, read from a file.

Every act is a change of the edition with what the areas said before and after, so it can be undone; it is sent with the revision
that was seen and with a key, by which it is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import shapely
from django.contrib.gis.geos import GEOSGeometry
from shapely.geometry.base import BaseGeometry

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict
from geo.fences.repairs import areal, repaired
from geo.fences.shaping import cut, joined, thinned, widened
from geo.fences.topology import GRAIN_M2, REPAIR_WORDS, Drawn, Flaw, RepairKind
from geo.geometry import Limits, from_plane, polygons_of, repair, require_valid, to_plane
from geo.regions.queries import current_city
from geo.scope import Scope
from services.catchments.areas.queries import area_of, drawn_of, table_of, undo_and_redo
from services.catchments.changes import Told, area_told, perform, undo
from services.catchments.ground import ground_of
from services.catchments.models import CatchmentEdition, EditionChange
from services.catchments.queries import edition_seen
from services.crypto.identifiers import new_id

LONGEST_NAME: Final = 80
MOST_AREAS: Final = 400
MILLIMETRE: Final = 0.001
AREA_LIMITS: Final = Limits(body_bytes=400_000, vertices=10_000, rings=200)
Wanted = tuple[str, Mapping[str, Told | None]]


@dataclass(frozen=True, slots=True)
class Act:
    """What every act on a draft is sent with: the draft, the revision that was seen, and the key of the form."""

    edition_id: UUID
    seen: int
    key: UUID
    scope: Scope

    def done(self, act: str, work: Callable[[CatchmentEdition], Wanted]) -> EditionChange | None:
        """Do the act; ``None`` where nothing changes by it."""
        return perform(self.edition_id, seen=self.seen, key=self.key, act=act, scope=self.scope, work=work)


def add_area(act: Act, *, name: str, target: int, shape: BaseGeometry) -> EditionChange | None:
    """Add an area (CGCS2000 degrees) to a draft. Raises ``BadInput`` for a shape, name or kindergarten that cannot be."""

    def work(edition: CatchmentEdition) -> Wanted:
        if edition.areas.count() >= MOST_AREAS:
            raise BadInput("areas_many", f"一个版本最多画 {MOST_AREAS} 个片区。请先合并或删除不用的。")
        told = told_of(_named(edition, name, None), _target(edition, target), _sound(shape))
        return f"画了片区“{told['name']}”", {f"area:{new_id()}": told}

    return act.done("area_add", work)


def change_shape(act: Act, *, same: UUID, shape: BaseGeometry) -> EditionChange | None:
    """Give an area another shape (CGCS2000 degrees)."""

    def work(edition: CatchmentEdition) -> Wanted:
        area = area_of(edition, same)
        return f"改了片区“{area.name}”的边界", {f"area:{same}": area_told(area) | {"geom": hex_of(_sound(shape))}}

    return act.done("area_shape", work)


def change_about(act: Act, *, same: UUID, name: str, target: int) -> EditionChange | None:
    """Name an area, and say which kindergarten it belongs to."""

    def work(edition: CatchmentEdition) -> Wanted:
        area = area_of(edition, same)
        told = area_told(area) | {"name": _named(edition, name, same), "target_id": _target(edition, target)}
        renamed = f"，改名为“{told['name']}”" if told["name"] != area.name else ""
        moved = "，改了对口园" if told["target_id"] != area.target_id else ""
        return f"片区“{area.name}”{renamed}{moved}", {f"area:{same}": told}

    return act.done("area_about", work)


def delete_area(act: Act, *, same: UUID) -> EditionChange | None:
    """Take an area out of a draft."""

    def work(edition: CatchmentEdition) -> Wanted:
        return f"删除了片区“{area_of(edition, same).name}”", {f"area:{same}": None}

    return act.done("area_delete", work)


def split_area(act: Act, *, same: UUID, line: BaseGeometry, name: str, target: int) -> EditionChange | None:
    """Cut an area along a line (degrees); the larger side stays, the other becomes an area of its own."""

    def work(edition: CatchmentEdition) -> Wanted:
        area = area_of(edition, same)
        (drawn,) = drawn_of([area])
        first, second = cut(drawn.shape, to_plane(line, current_city()))
        new = told_of(_named(edition, name, None), _target(edition, target), _back(second))
        kept = area_told(area) | {"geom": hex_of(_back(first))}
        return f"把片区“{area.name}”切分出“{new['name']}”", {f"area:{same}": kept, f"area:{new_id()}": new}

    return act.done("area_split", work)


def merge_areas(act: Act, *, same: UUID, other: UUID) -> EditionChange | None:
    """Join a neighbouring area to one, which keeps its name and kindergarten."""

    def work(edition: CatchmentEdition) -> Wanted:
        if same == other:
            raise BadInput("merge_itself", "请再选一个相邻的片区来合并。")
        area, gone = area_of(edition, same), area_of(edition, other)
        one, two = drawn_of([area, gone])
        whole = area_told(area) | {"geom": hex_of(_back(joined(one.shape, two.shape)))}
        return f"把片区“{gone.name}”并入“{area.name}”", {f"area:{same}": whole, f"area:{other}": None}

    return act.done("area_merge", work)


def widen_area(act: Act, *, same: UUID, metres: float) -> EditionChange | None:
    """Grow an area by some metres into free land of the district, or shrink it where they are negative."""

    def work(edition: CatchmentEdition) -> Wanted:
        area = area_of(edition, same)
        (drawn,) = drawn_of([area])
        wider = _back(widened(drawn, metres, table_of(edition)))
        verb = "外扩" if metres > 0 else "内缩"
        return f"片区“{area.name}”{verb} {abs(metres):g} 米", {
            f"area:{same}": area_told(area) | {"geom": hex_of(wider)}
        }

    return act.done("area_widen", work)


def thin_area(act: Act, *, same: UUID, metres: float) -> EditionChange | None:
    """Take vertices from an area and from what its neighbours share with it; no edge moves farther than the metres."""

    def work(edition: CatchmentEdition) -> Wanted:
        area = area_of(edition, same)
        (drawn,) = drawn_of([area])
        table = table_of(edition)
        shapes = thinned(drawn, table.neighbours(drawn, within_m=1.0), metres)
        return f"片区“{area.name}”抽稀 {metres:g} 米", _reshaped(edition, shapes)

    return act.done("area_thin", work)


def repair_flaw(act: Act, *, same: UUID, shape: BaseGeometry, flaw: str, kind: str) -> EditionChange | None:
    """Repair a flaw of an area as it is drawn now (degrees), which may not be kept yet; its neighbours change with it.

    Raises ``Conflict`` when the flaw is gone, because somebody moved what it was about.
    """

    def work(edition: CatchmentEdition) -> Wanted:
        found, shapes = repair_of(edition, same=same, shape=shape, flaw=flaw, kind=kind)
        said = f"{found.title}：{REPAIR_WORDS[kind]}"  # type: ignore[index]
        return said, _reshaped(edition, shapes)

    return act.done("area_repair", work)


def repair_of(
    edition: CatchmentEdition, *, same: UUID | None, shape: BaseGeometry, flaw: str, kind: str
) -> tuple[Flaw, dict[str, BaseGeometry]]:
    """Return a flaw and the shapes (metres) that its repair gives, by ``same``: what 先看效果 shows, and what is kept."""
    table = table_of(edition)
    drawn = drawn_now(edition, same, shape)
    found = next((each for each in table.flaws_of(drawn) if each.id == flaw), None)
    if found is None:
        raise Conflict("flaw_gone", "边界已经变了，这个问题不在原处。请看最新的检查结果。")
    shapes = repaired(found, _repair_kind(kind), drawn, table)
    if found.area not in shapes and same is not None:
        shapes = {**shapes, found.area: drawn.shape}  # what is drawn is kept together with what its neighbours give
    return found, shapes


def drawn_now(edition: CatchmentEdition, same: UUID | None, shape: BaseGeometry) -> Drawn:
    """Return an area as it is drawn on somebody's screen (degrees), which may be neither valid nor kept."""
    if not polygons_of(shape):
        raise BadInput("area_not_areal", "片区要画成面。请重新画，至少三个顶点。")
    name = area_of(edition, same).name if same else "新片区"
    return Drawn(str(same or ""), name, to_plane(shape, current_city()))


@dataclass(frozen=True, slots=True)
class Arriving:
    """An area out of a file, ready to be kept: its name, the id of its kindergarten, its shape in CGCS2000 degrees."""

    name: str
    target: int
    shape: BaseGeometry


def take_in(act: Act, *, arriving: Sequence[Arriving], replace: bool) -> EditionChange | None:
    """Keep areas out of a file: those of a known name change, others are added; ``replace`` takes out what is not in the file."""

    def work(edition: CatchmentEdition) -> Wanted:
        there = {area.name: area for area in edition.areas.all()}
        wanted: dict[str, Told | None] = {}
        for each in arriving:
            area = there.pop(each.name, None)
            told = told_of(each.name, _target(edition, each.target), _sound(each.shape))
            wanted[f"area:{area.same if area else new_id()}"] = told
        if replace:
            wanted |= {f"area:{area.same}": None for area in there.values()}
        if len(arriving) + (0 if replace else len(there)) > MOST_AREAS:
            raise BadInput("areas_many", f"一个版本最多 {MOST_AREAS} 个片区，请分区整理后再导入。")
        return f"导入 {len(arriving)} 个片区", wanted

    return act.done("areas_import", work)


def step_back(act: Act) -> EditionChange | None:
    """Take back the last act on areas of whoever asks. Raises ``Conflict`` for none, and where others changed it since."""
    back, _ = undo_and_redo(edition_seen(act.edition_id, scope=act.scope), actor=act.scope.actor)
    if back is None:
        raise Conflict("undo_nothing", "没有可以撤销的改动。")
    return undo(change_id=back.pk, edition_id=act.edition_id, key=act.key, scope=act.scope)


def step_again(act: Act) -> EditionChange | None:
    """Do again what was taken back last."""
    _, again = undo_and_redo(edition_seen(act.edition_id, scope=act.scope), actor=act.scope.actor)
    if again is None:
        raise Conflict("redo_nothing", "没有可以重做的改动。")
    return undo(change_id=again.pk, edition_id=act.edition_id, key=act.key, scope=act.scope)


def told_of(name: str, target: int, shape: BaseGeometry) -> Told:
    """Return an area as changes tell it."""
    return {"name": name, "target_id": target, "geom": hex_of(shape)}


def hex_of(shape: BaseGeometry) -> str:
    """Return a shape (degrees) as changes keep it, so that the same shape is the same text."""
    return GEOSGeometry(shapely.to_wkb(areal(shape)).hex(), srid=CGCS2000).hex.decode()


def _reshaped(edition: CatchmentEdition, shapes: Mapping[str, BaseGeometry]) -> dict[str, Told | None]:
    rows = {str(area.same): area for area in edition.areas.filter(same__in=[key for key in shapes if key])}
    return {
        f"area:{key}": area_told(area) | {"geom": hex_of(_back(shapes[key]))} for key, area in rows.items()
    }  # fmt: skip


def _back(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape of the plane in degrees, as it can be kept."""
    whole = areal(
        shapely.set_precision(shape, MILLIMETRE)
    )  # spikes thinner than that would cross themselves in degrees
    if whole.area < GRAIN_M2:
        raise BadInput("area_vanishes", "这样做，片区就没有面积了。请换一个数值或画法。")
    return _sound(repair(from_plane(whole, current_city())).geometry)


def _sound(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape that a draft may keep. Raises ``BadInput`` for what has no area, crosses itself or is too large."""
    if not polygons_of(shape):
        raise BadInput("area_not_areal", "片区要画成面。请重新画，至少三个顶点。")
    if shapely.get_num_coordinates(shape) > AREA_LIMITS.vertices:
        raise BadInput("area_vertices", f"一个片区最多 {AREA_LIMITS.vertices:,} 个顶点。请先减少顶点再保存。")
    whole = areal(require_valid(shape))
    if to_plane(whole, current_city()).area < GRAIN_M2:
        raise BadInput("area_empty", "片区没有面积。请把顶点拖开，或重新画。")
    return whole


def _named(edition: CatchmentEdition, name: str, same: UUID | None) -> str:
    name = " ".join(name.split())
    if not name:
        raise BadInput("area_nameless", "请给片区起个名字，例如“文庙片区”。", fields={"name": "请填名称。"})
    if len(name) > LONGEST_NAME:
        raise BadInput("area_name_long", f"片区名称最多 {LONGEST_NAME} 个字。", fields={"name": "请写短一些。"})
    namesakes = edition.areas.filter(name=name)
    if (namesakes.exclude(same=same) if same else namesakes).exists():
        raise BadInput("area_name_twice", f"已经有叫“{name}”的片区，请换个名字。", fields={"name": "名称重复。"})
    return name


def _target(edition: CatchmentEdition, target: int) -> int:
    """Return a kindergarten that an area may lead to. Raises ``BadInput`` that says why another may not."""
    site = ground_of(edition.district_id, targets=[target] if target else []).sites.get(target)
    if site is None:
        raise BadInput("area_targetless", "请选这个片区的对口园。", fields={"target": "请选对口园。"})
    if site.fault:
        said = f"“{site.name}”{site.fault}，请选本区开办的幼儿园。"
        raise BadInput("area_target_unfit", said, fields={"target": said})
    return target


def _repair_kind(kind: str) -> RepairKind:
    if kind not in REPAIR_WORDS:
        raise BadInput("repair_unknown", "没有这种修法，请刷新检查结果后再试。")
    return kind


def gone(change: EditionChange | None) -> tuple[str, ...]:
    """Return the ``same`` of the areas that an act took out."""
    after: dict[str, Any] = change.after if change else {}
    return tuple(key[5:] for key, told in after.items() if key.startswith("area:") and told is None)
