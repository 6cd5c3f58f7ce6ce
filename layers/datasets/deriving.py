"""Datasets out of an existing layer: what fulfils a recipe, copied once, or taken over again with the difference told first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

import shapely
from django.db import transaction

from geo.crs import System
from geo.errors import BadInput, CityError, NotFound
from geo.geometry import parse_geojson
from geo.scope import Scope
from layers.datasets.actions import create_dataset
from layers.datasets.arriving import BY_ORIGIN, Arrival, Matching, Weighed, take_in, weigh
from layers.datasets.attributes import LONGEST_TEXT, MOST, DatasetAttribute, name_for, value_of
from layers.datasets.editing import MOST_FEATURES, Sent
from layers.datasets.models import Audience, Dataset, DatasetAct
from layers.datasets.queries import EDIT, dataset_seen
from layers.datasets.shapes import SHAPE_LIMITS, sound
from layers.filtering import narrowing_of
from layers.reading import Count, Narrowing, count_rows, seen_by, stream_rows
from layers.registry import layer
from layers.spec import LayerSpec

OPERATORS: Final = {
    "=": "等于", "<>": "不等于", ">": "大于", ">=": "不小于", "<": "小于", "<=": "不大于", "like": "包含", "isNull": "没有填",
}  # fmt: skip
FARTHEST_M: Final = 5_000
MOST_CONDITIONS: Final = 6
BY_VIEW: Final = Matching(BY_ORIGIN, replace=True, over=True)
_METRES_A_DEGREE: Final = 90_000.0
"""At the latitude of the city a degree is longer than this in every direction: a box by it holds what is near."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is taken of a layer: rows that fulfil all ``conditions`` (attribute, operator, value), lie in a region (code), meet a
    shape (GeoJSON, CGCS2000) and lie within ``near_m`` metres of a row of the layer ``near``. What is '' or 0 is not asked.

    ``kept`` says that the dataset is a view, refreshed by asking again; ``restricted``, that the layer is not everybody's.
    """

    layer: str
    conditions: tuple[tuple[str, str, str], ...] = ()
    region: str = ""
    shape: str = ""
    near: str = ""
    near_m: float = 0.0
    kept: bool = False
    restricted: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return it as a dataset keeps it."""
        return asdict(self) | {"conditions": [list(one) for one in self.conditions]}


def recipe_of(told: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a dataset keeps. Raises ``NotFound`` for one that was not made by any."""
    if "layer" not in told:
        raise NotFound("recipe_none", "这个图层不是从别的图层生成的。")
    return Recipe(**{**told, "conditions": tuple((one[0], one[1], one[2]) for one in told["conditions"])})


def count(recipe: Recipe, *, scope: Scope) -> Count:
    """Return how many rows fulfil a recipe. Raises ``BadInput`` that says which part cannot be meant."""
    spec = layer(recipe.layer, scope=scope)
    return count_rows(spec, scope=scope, narrowing=_narrowing(spec, recipe, scope), exact_up_to=MOST_FEATURES)


@transaction.atomic
def derive(
    recipe: Recipe, *, title: str, region: str, audience: str, key: UUID, scope: Scope
) -> tuple[Dataset, DatasetAct | None]:
    """Make a dataset of a region (code) out of what fulfils a recipe, and what came in. Sent twice, it is made once."""
    spec = layer(recipe.layer, scope=scope)
    attributes, becomes = _attributes(spec)
    kept = Recipe(**{**asdict(recipe), "restricted": not spec.public, "attributes": becomes})
    dataset = create_dataset(
        title=title, geometry=spec.geometry, region=region, key=key, scope=scope, source=f"{spec.title}（按条件取出）",
        summary=f"从“{spec.title}”按条件生成。", audience=audience if spec.public else Audience.STAFF,
        attributes=attributes, recipe=kept.told(),
    )  # fmt: skip
    sent = Sent(dataset.key, dataset.revision, uuid5(key, "rows"), scope)
    arrivals = _arrivals(spec, kept, dataset, scope)
    act = take_in(sent, arrivals=arrivals, matching=BY_VIEW, said=f"从“{spec.title}”取出", act="refresh")
    dataset.refresh_from_db()
    return dataset, act


def weigh_refresh(key: str, *, scope: Scope) -> Weighed:
    """Say what refreshing a dataset from its layer would do."""
    dataset = dataset_seen(key, scope=scope, duty=EDIT)
    recipe = recipe_of(dataset.recipe)
    arrivals = _arrivals(layer(recipe.layer, scope=scope), recipe, dataset, scope)
    return weigh(key, arrivals=arrivals, matching=BY_VIEW, scope=scope)


def refresh(sent: Sent) -> DatasetAct | None:
    """Take over what fulfils the recipe of a dataset now, as one act; ``None`` when nothing differs."""
    dataset = dataset_seen(sent.dataset, scope=sent.scope, duty=EDIT)
    recipe = recipe_of(dataset.recipe)
    spec = layer(recipe.layer, scope=sent.scope)
    arrivals = _arrivals(spec, recipe, dataset, sent.scope)
    return take_in(sent, arrivals=arrivals, matching=BY_VIEW, said=f"按“{spec.title}”更新", act="refresh")


def _attributes(spec: LayerSpec) -> tuple[list[DatasetAttribute], dict[str, str]]:
    """Return the attributes of a dataset made of a layer, and by the layer's names those they become."""
    found: list[DatasetAttribute] = []
    becomes: dict[str, str] = {}
    for one in spec.attributes[:MOST]:
        if one.name == "id":
            continue
        title = one.title if all(one.title != each.title for each in found) else f"{one.title}（{one.name}）"
        own = DatasetAttribute(name_for(title, {each.name for each in found}), title[:30], one.kind)
        found.append(own)
        becomes[one.name] = own.name
    return found, becomes


def _arrivals(spec: LayerSpec, recipe: Recipe, dataset: Dataset, scope: Scope) -> list[Arrival]:
    """Return the rows that fulfil a recipe, all of them before any is written: the connection that reads them is the one that
    writes. Those with a shape that a dataset does not keep are left out.
    """
    by_name = {one["name"]: one for one in dataset.attributes}
    wanted = [
        (name, DatasetAttribute(own, by_name[own]["title"], by_name[own]["kind"]))
        for name, own in recipe.attributes.items()
        if own in by_name
    ]
    found: list[Arrival] = []
    for rows in stream_rows(spec, scope=scope, narrowing=_narrowing(spec, recipe, scope)):
        for row in rows:
            shape = _kept_shape(row.geometry, dataset.geometry)
            if shape is not None:
                found.append(Arrival(shape, _values(row.properties, wanted), f"{spec.key}/{row.id}"))
        if len(found) > MOST_FEATURES:
            raise BadInput("features_many", f"符合条件的超过 {MOST_FEATURES:,} 个，请加条件或缩小范围。")
    return found


def _kept_shape(wkb: bytes | None, kind: str) -> bytes | None:
    if wkb is None:
        return None
    try:
        return bytes(shapely.to_wkb(sound(shapely.from_wkb(wkb), kind, mend=True), byte_order=1))
    except CityError:
        return None


def _values(properties: Mapping[str, Any], wanted: Sequence[tuple[str, DatasetAttribute]]) -> dict[str, Any]:
    values = {}
    for name, attribute in wanted:
        value = properties.get(name)
        if isinstance(value, dt.date | dt.datetime):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = float(value)
        elif isinstance(value, str):
            value = value[:LONGEST_TEXT]
        kept = value_of(attribute, value)
        if kept is not None:
            values[attribute.name] = kept
    return values


def _narrowing(spec: LayerSpec, recipe: Recipe, scope: Scope) -> Narrowing:
    if len(recipe.conditions) > MOST_CONDITIONS:
        raise BadInput("conditions_many", f"条件最多 {MOST_CONDITIONS} 个。")
    found = Narrowing()
    nodes = [_node(spec, *one) for one in recipe.conditions]
    if nodes:
        found &= narrowing_of(spec, nodes[0] if len(nodes) == 1 else {"op": "and", "args": nodes})
    if recipe.region:
        found &= Narrowing(
            "EXISTS (SELECT 1 FROM regions_regionpart part JOIN regions_regionversion version ON version.id = part.version_id "
            "JOIN regions_edition edition ON edition.id = version.edition_id WHERE edition.state = 'published' "
            "AND version.code = %(recipe_region)s AND ST_Intersects(part.geom, t.geom))",
            {"recipe_region": recipe.region},
        )
    if recipe.shape:
        shape = parse_geojson(recipe.shape, System.CGCS2000, SHAPE_LIMITS)
        found &= Narrowing(
            "ST_Intersects(t.geom, ST_SetSRID(ST_GeomFromWKB(%(recipe_shape)s), ST_SRID(t.geom)))",
            {"recipe_shape": shapely.to_wkb(shape)},
        )
    return found & _nearness(recipe, scope) if recipe.near else found


def _nearness(recipe: Recipe, scope: Scope) -> Narrowing:
    """Return the condition that a row lies near some row of another layer."""
    if not 0 < recipe.near_m <= FARTHEST_M:
        raise BadInput("near_metres", f"距离请填 1 到 {FARTHEST_M:,} 米。", fields={"near_m": "请核对距离。"})
    other = layer(recipe.near, scope=scope)
    seen, table = seen_by(other, scope), other.table
    for name in other.parameters:
        table = table.replace(f"%({name})s", f"%(near_{name})s")
    theirs = {f"near_{name}": value for name, value in other.parameters.items()}
    return Narrowing(
        f"EXISTS (SELECT 1 FROM (SELECT t.geom FROM {table} t WHERE {seen.where}) near "
        "WHERE near.geom && ST_Expand(t.geom, %(near_degrees)s) "
        "AND ST_DWithin(near.geom::geography, t.geom::geography, %(near_metres)s))",
        {
            **theirs, **seen.parameters, "near_metres": recipe.near_m,
            "near_degrees": recipe.near_m / _METRES_A_DEGREE,
        },
    )  # fmt: skip


def _node(spec: LayerSpec, name: str, operator: str, value: str) -> dict[str, Any]:
    """Return a condition as CQL2. Raises ``BadInput`` for what the layer does not say or the value cannot be."""
    attribute = spec.attribute(name)
    if attribute is None or operator not in OPERATORS:
        raise BadInput("condition_unknown", "有一个条件的字段或比较方式没有了，请重新选。")
    about = {"property": name}
    if operator == "isNull":
        return {"op": "isNull", "args": [about]}
    if operator == "like":
        if attribute.kind != "text":
            raise BadInput("condition_like", f"“{attribute.title}”不是文字，不能用“包含”。")
        escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {"op": "like", "args": [about, f"%{escaped}%"]}
    fit = value_of(DatasetAttribute("a", attribute.title, attribute.kind), value)
    if fit is None:
        raise BadInput("condition_empty", f"“{attribute.title}”的条件还没有填值。")
    said = {"day": {"date": fit}, "moment": {"timestamp": fit}}.get(attribute.kind, fit)
    return {"op": operator, "args": [about, said]}
