"""Where three-dimensional models stand, drawn as areas: those that everybody may see."""

from layers.spec import Attribute, Detail, LayerSpec

_SHOWN = """(
  SELECT v.id, v.outline AS geom, v.title, v.source, v.as_of, v.highest_m - v.lowest_m AS tall_m, v.twin, s.key, s.kind
  FROM scenes_scene s JOIN scenes_sceneversion v ON v.id = s.shown_id
  WHERE s.state = 'published' AND v.audience = 'everyone'
)"""

LAYERS = (
    LayerSpec(
        key="scenes",
        category="themes",
        summary="三维模型（倾斜摄影、单体模型）所在的范围；模型本身在“二三维”里看。",
        source="各模型写明的来源",
        title="三维模型范围",
        geometry="polygon",
        table=_SHOWN,
        attributes=(
            Attribute("name", "名称", "text", "t.title"),
            Attribute("key", "标识", "text", "t.key"),
            Attribute(
                "kind",
                "类型",
                "text",
                "CASE t.kind WHEN 'tileset' THEN '模型集（3D Tiles）' ELSE '单体模型（glTF）' END",
            ),
            Attribute("tall_m", "高（米）", "number", "round(t.tall_m::numeric, 1)::float8"),
            Attribute("twin", "有数字孪生页", "yes_no", "t.twin"),
            Attribute("source", "来源", "text", "NULLIF(t.source, '')"),
            Attribute("as_of", "截至", "day", "t.as_of"),
        ),
        details=(Detail(10),),
        touched="(SELECT coalesce(extract(epoch FROM max(changed_at)), 0) FROM scenes_scene)",
    ),
)
