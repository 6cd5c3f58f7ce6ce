"""Acts on drawn areas of a draft: drawn, changed, cut, joined, holed, widened, thinned, repaired, taken out, read from a file.

Every act is a change of the edition with what the areas said before and after, so it can be undone; it is sent with the revision
that was seen and with a key, by which it is done once. Whoever keeps areas says what else they tell (``Areas.about``).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic
from uuid import UUID

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from geo.crs.codes import CGCS2000
from geo.errors import BadInput, Conflict
from geo.fences.drafting import C, Drafting, E, Rows, Told, Wanted
from geo.fences.repairs import areal, repaired
from geo.fences.shaping import cut, joined, thinned, widened, with_part, without_part
from geo.fences.topology import GRAIN_M2, REPAIR_WORDS, Drawn, Flaw, RepairKind, Table
from geo.geometry import Limits, from_plane, polygons_of, repair, require_valid, to_plane
from geo.regions.queries import current_city
from geo.scope import Scope

LONGEST_NAME: Final = 80
MILLIMETRE: Final = 0.001
AREA_LIMITS: Final = Limits(body_bytes=400_000, vertices=10_000, rings=200)
ACTS: Final = (
    "area_add", "area_shape", "area_about", "area_delete", "area_split", "area_merge", "area_widen", "area_thin",
    "area_part", "area_hole", "area_repair", "areas_import",
)  # fmt: skip
Shaping = Callable[[BaseGeometry, BaseGeometry], BaseGeometry]


@dataclass(frozen=True, slots=True)
class Act:
    """What every act on a draft is sent with: the draft, the revision that was seen, and the key of the form."""

    edition_id: UUID
    seen: int
    key: UUID
    scope: Scope


@dataclass(frozen=True, slots=True)
class Arriving:
    """An area out of a file, ready to be kept: its name, its shape in CGCS2000 degrees, what else is said of it."""

    name: str
    shape: BaseGeometry
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Areas(Generic[E, C]):
    """The areas of drafts of one kind.

    ``table`` puts an edition's areas on the table. ``about`` gets an edition and what somebody says of an area besides its name
    and shape, and returns the fields to keep, or raises ``BadInput``. ``told`` says in words what changed between two tellings of
    an area besides its name and shape. ``reshaped`` are fields that a shape drawn by hand sets. ``noun`` is what an area is
    called, ``most`` how many an edition holds.
    """

    drafting: Drafting[E, C]
    rows: Rows
    table: Callable[[E], Table]
    about: Callable[[E, Mapping[str, Any]], Told]
    told: Callable[[Told, Told], str]
    noun: str
    most: int
    reshaped: Told = field(default_factory=dict)

    def done(self, act: Act, name: str, work: Callable[[E], Wanted]) -> C | None:
        """Do an act; ``None`` where nothing changes by it."""
        return self.drafting.perform(
            act.edition_id, seen=act.seen, key=act.key, act=name, scope=act.scope, work=work
        )  # fmt: skip

    def all_of(self, edition: E) -> list[Any]:
        """Return the areas of an edition, by name."""
        return list(self.rows.model._default_manager.filter(edition=edition).order_by("name", "id"))

    def area_of(self, edition: E, same: UUID) -> Any:
        """Return one area of an edition. Raises ``Conflict`` where it is gone."""
        found = self.rows.model._default_manager.filter(edition=edition, same=same).first()
        if found is None:
            raise Conflict("area_gone", f"这个{self.noun}已经被删除。请刷新；删错了可以撤销。")
        return found

    def add(self, act: Act, *, name: str, about: Mapping[str, Any], shape: BaseGeometry) -> C | None:
        """Add an area (CGCS2000 degrees) to a draft. Raises ``BadInput`` for a shape, a name or anything else that cannot be."""

        def work(edition: E) -> Wanted:
            if self.rows.model._default_manager.filter(edition=edition).count() >= self.most:
                raise BadInput("areas_many", f"一个版本最多画 {self.most} 个{self.noun}。请先合并或删除不用的。")
            told = self._telling(edition, name, about, self.sound(shape))
            return f"画了{self.noun}“{told['name']}”", {self.rows.key(uuid.uuid4()): told}

        return self.done(act, "area_add", work)

    def reshape(self, act: Act, *, same: UUID, shape: BaseGeometry) -> C | None:
        """Give an area another shape (CGCS2000 degrees)."""

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            return f"改了{self.noun}“{area.name}”的边界", {self.rows.key(same): self._with(area, self.sound(shape))}

        return self.done(act, "area_shape", work)

    def say_about(self, act: Act, *, same: UUID, name: str, about: Mapping[str, Any]) -> C | None:
        """Name an area, and say whatever else is told of it."""

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            before = self.rows.told(area)
            after = before | {"name": self._named(edition, name, same)} | self.about(edition, about)
            renamed = f"，改名为“{after['name']}”" if after["name"] != area.name else ""
            return f"{self.noun}“{area.name}”{renamed}{self.told(before, after)}", {self.rows.key(same): after}

        return self.done(act, "area_about", work)

    def delete(self, act: Act, *, same: UUID) -> C | None:
        """Take an area out of a draft."""

        def work(edition: E) -> Wanted:
            return f"删除了{self.noun}“{self.area_of(edition, same).name}”", {self.rows.key(same): None}

        return self.done(act, "area_delete", work)

    def split(
        self, act: Act, *, same: UUID, line: BaseGeometry, name: str, about: Mapping[str, Any]
    ) -> C | None:  # fmt: skip
        """Cut an area along a line (degrees); the larger side stays, the other becomes an area of its own."""

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            (drawn,) = drawn_of([area])
            first, second = cut(drawn.shape, to_plane(line, current_city()))
            new = self._telling(edition, name, about, self.back(second))
            kept = self._with(area, self.back(first))
            said = f"把{self.noun}“{area.name}”切分出“{new['name']}”"
            return said, {self.rows.key(same): kept, self.rows.key(uuid.uuid4()): new}

        return self.done(act, "area_split", work)

    def merge(self, act: Act, *, same: UUID, other: UUID) -> C | None:
        """Join a neighbouring area to one, which stays what it is."""

        def work(edition: E) -> Wanted:
            if same == other:
                raise BadInput("merge_itself", f"请再选一个相邻的{self.noun}来合并。")
            area, gone = self.area_of(edition, same), self.area_of(edition, other)
            one, two = drawn_of([area, gone])
            whole = self._with(area, self.back(joined(one.shape, two.shape)))
            said = f"把{self.noun}“{gone.name}”并入“{area.name}”"
            return said, {self.rows.key(same): whole, self.rows.key(other): None}

        return self.done(act, "area_merge", work)

    def add_part(self, act: Act, *, same: UUID, part: BaseGeometry) -> C | None:
        """Add a part (degrees) to an area, near or apart from it."""
        return self._shaped(act, "area_part", same, part, with_part, "加了一块")

    def cut_hole(self, act: Act, *, same: UUID, part: BaseGeometry) -> C | None:
        """Take a part (degrees) out of an area: a hole where it lies inside."""
        return self._shaped(act, "area_hole", same, part, without_part, "挖去了一块")

    def widen(self, act: Act, *, same: UUID, metres: float) -> C | None:
        """Grow an area by some metres into free land of the district, or shrink it where they are negative."""

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            (drawn,) = drawn_of([area])
            wider = self.back(widened(drawn, metres, self.table(edition)))
            verb = "外扩" if metres > 0 else "内缩"
            return f"{self.noun}“{area.name}”{verb} {abs(metres):g} 米", {self.rows.key(same): self._with(area, wider)}

        return self.done(act, "area_widen", work)

    def thin(self, act: Act, *, same: UUID, metres: float) -> C | None:
        """Take vertices from an area and from what its neighbours share with it; no edge moves farther than the metres."""

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            (drawn,) = drawn_of([area])
            shapes = thinned(drawn, self.table(edition).neighbours(drawn, within_m=1.0), metres)
            return f"{self.noun}“{area.name}”抽稀 {metres:g} 米", self._reshaped(edition, shapes)

        return self.done(act, "area_thin", work)

    def repair(self, act: Act, *, same: UUID, shape: BaseGeometry, flaw: str, kind: str) -> C | None:
        """Repair a flaw of an area as it is drawn now (degrees), which may not be kept yet; its neighbours change with it.

        Raises ``Conflict`` when the flaw is gone, because somebody moved what it was about.
        """

        def work(edition: E) -> Wanted:
            found, shapes = self.repaired(edition, same=same, shape=shape, flaw=flaw, kind=kind)
            said = f"{found.title}：{REPAIR_WORDS[kind]}"  # type: ignore[index]
            return said, self._reshaped(edition, shapes)

        return self.done(act, "area_repair", work)

    def repaired(
        self, edition: E, *, same: UUID | None, shape: BaseGeometry, flaw: str, kind: str
    ) -> tuple[Flaw, dict[str, BaseGeometry]]:
        """Return a flaw and the shapes (metres) that its repair gives, by ``same``: what 先看效果 shows, and what is kept."""
        table = self.table(edition)
        drawn = self.drawn_now(edition, same, shape)
        found = next((each for each in table.flaws_of(drawn) if each.id == flaw), None)
        if found is None:
            raise Conflict("flaw_gone", "边界已经变了，这个问题不在原处。请看最新的检查结果。")
        shapes = repaired(found, _repair_kind(kind), drawn, table)
        if found.area not in shapes and same is not None:
            shapes = {**shapes, found.area: drawn.shape}  # what is drawn is kept together with what its neighbours give
        return found, shapes

    def drawn_now(self, edition: E, same: UUID | None, shape: BaseGeometry) -> Drawn:
        """Return an area as it is drawn on somebody's screen (degrees), which may be neither valid nor kept."""
        if not polygons_of(shape):
            raise BadInput("area_not_areal", f"{self.noun}要画成面。请重新画，至少三个顶点。")
        name = self.area_of(edition, same).name if same else f"新{self.noun}"
        return Drawn(str(same or ""), name, to_plane(shape, current_city()))

    def take_in(self, act: Act, *, arriving: Sequence[Arriving], replace: bool, source: str = "") -> C | None:
        """Keep areas out of a file: known names change, others are added; ``replace`` takes out what is not in the file.

        What an arriving area says nothing of stays as it was, but for how it was drawn. ``source`` names the file.
        """

        def work(edition: E) -> Wanted:
            there = {area.name: area for area in self.all_of(edition)}
            wanted: dict[str, Told | None] = {}
            for each in arriving:
                area = there.pop(each.name, None)
                before = self.rows.told(area) if area else {}
                fields = self.reshaped | self.about(edition, before | self.reshaped | dict(each.about))
                told = before | {"name": each.name} | fields | {"geom": hex_of(self.sound(each.shape))}
                wanted[self.rows.key(area.same if area else uuid.uuid4())] = told
            if replace:
                wanted |= {self.rows.key(area.same): None for area in there.values()}
            if len(arriving) + (0 if replace else len(there)) > self.most:
                raise BadInput("areas_many", f"一个版本最多 {self.most} 个{self.noun}，请分区整理后再导入。")
            words = f"从“{source}”导入" if source else "导入"
            return f"{words} {len(arriving)} 个{self.noun}", wanted

        return self.done(act, "areas_import", work)

    @transaction.atomic
    def step_back(self, act: Act) -> C | None:
        """Take back the last act on areas of whoever asks. Raises ``Conflict`` for none, and where others changed it since."""
        back, _ = self._steps(act)
        if back is None:
            raise Conflict("undo_nothing", "没有可以撤销的改动。")
        return self.drafting.undo(change_id=back.pk, edition_id=act.edition_id, key=act.key, scope=act.scope)

    @transaction.atomic
    def step_again(self, act: Act) -> C | None:
        """Do again what was taken back last."""
        _, again = self._steps(act)
        if again is None:
            raise Conflict("redo_nothing", "没有可以重做的改动。")
        return self.drafting.undo(change_id=again.pk, edition_id=act.edition_id, key=act.key, scope=act.scope)

    def back(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape of the plane in degrees, as it can be kept."""
        # spikes thinner than a millimetre would cross themselves in degrees
        whole = areal(shapely.set_precision(shape, MILLIMETRE))
        if whole.area < GRAIN_M2:
            raise BadInput("area_vanishes", f"这样做，{self.noun}就没有面积了。请换一个数值或画法。")
        return self.sound(repair(from_plane(whole, current_city())).geometry)

    def sound(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape that a draft may keep. Raises ``BadInput`` for what has no area, crosses itself or is too large."""
        if not polygons_of(shape):
            raise BadInput("area_not_areal", f"{self.noun}要画成面。请重新画，至少三个顶点。")
        if shapely.get_num_coordinates(shape) > AREA_LIMITS.vertices:
            most = f"{AREA_LIMITS.vertices:,}"
            raise BadInput("area_vertices", f"一个{self.noun}最多 {most} 个顶点。请先减少顶点再保存。")
        whole = areal(require_valid(shape))
        if to_plane(whole, current_city()).area < GRAIN_M2:
            raise BadInput("area_empty", f"{self.noun}没有面积。请把顶点拖开，或重新画。")
        return whole

    def _shaped(self, act: Act, name: str, same: UUID, part: BaseGeometry, work_out: Shaping, verb: str) -> C | None:
        drawn_part = to_plane(self.sound(part), current_city())

        def work(edition: E) -> Wanted:
            area = self.area_of(edition, same)
            (drawn,) = drawn_of([area])
            shape = self.back(work_out(drawn.shape, drawn_part))
            return f"{self.noun}“{area.name}”{verb}", {self.rows.key(same): self._with(area, shape)}

        return self.done(act, name, work)

    def _steps(self, act: Act) -> tuple[C | None, C | None]:
        edition = self.drafting.locked(act.edition_id, act.scope)
        return self.drafting.undo_and_redo(edition, actor=act.scope.actor, acts=ACTS)

    def _telling(self, edition: E, name: str, about: Mapping[str, Any], shape: BaseGeometry) -> Told:
        fields = self.reshaped | self.about(edition, about)
        return {"name": self._named(edition, name, None)} | fields | {"geom": hex_of(shape)}

    def _with(self, area: Any, shape: BaseGeometry) -> Told:
        return self.rows.told(area) | self.reshaped | {"geom": hex_of(shape)}

    def _reshaped(self, edition: E, shapes: Mapping[str, BaseGeometry]) -> dict[str, Told | None]:
        keys = [key for key in shapes if key]
        rows: Iterable[Any] = self.rows.model._default_manager.filter(edition=edition, same__in=keys)
        return {self.rows.key(area.same): self._with(area, self.back(shapes[str(area.same)])) for area in rows}

    def _named(self, edition: E, name: str, same: UUID | None) -> str:
        name = " ".join(name.split())
        if not name:
            said = f"请给{self.noun}起个名字，例如“文庙{self.noun}”。"
            raise BadInput("area_nameless", said, fields={"name": "请填名称。"})
        if len(name) > LONGEST_NAME:
            said = f"{self.noun}名称最多 {LONGEST_NAME} 个字。"
            raise BadInput("area_name_long", said, fields={"name": "请写短一些。"})
        namesakes = self.rows.model._default_manager.filter(edition=edition, name=name)
        if (namesakes.exclude(same=same) if same else namesakes).exists():
            said = f"已经有叫“{name}”的{self.noun}，请换个名字。"
            raise BadInput("area_name_twice", said, fields={"name": "名称重复。"})
        return name


def shape_of(area: Any) -> BaseGeometry:
    """Return the shape of an area in CGCS2000 degrees."""
    return shapely.from_wkb(bytes(area.geom.wkb))


def drawn_of(areas: Sequence[Any]) -> list[Drawn]:
    """Return areas as the table takes them."""
    if not areas:
        return []
    planes = to_plane(np.array([shape_of(area) for area in areas], dtype=object), current_city())
    return [Drawn(str(area.same), area.name, plane) for area, plane in zip(areas, planes, strict=True)]


def hex_of(shape: BaseGeometry) -> str:
    """Return a shape (degrees) as changes keep it, so that the same shape is the same text."""
    return GEOSGeometry(shapely.to_wkb(areal(shape)).hex(), srid=CGCS2000).hex.decode()


def gone(change: Any) -> tuple[str, ...]:
    """Return the ``same`` of the areas that an act took out."""
    after: dict[str, Any] = change.after if change else {}
    return tuple(key[5:] for key, told in after.items() if key.startswith("area:") and told is None)


def _repair_kind(kind: str) -> RepairKind:
    if kind not in REPAIR_WORDS:
        raise BadInput("repair_unknown", "没有这种修法，请刷新检查结果后再试。")
    return kind
