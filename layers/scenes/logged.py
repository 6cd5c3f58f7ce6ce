"""What the log centre is told of scenes: set, published, withdrawn."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="scene",
        title="三维模型",
        model="scenes.Scene",
        fields={
            "said": "做了什么", "title": "名称", "state": "状态", "source": "来源", "as_of": "截至", "audience": "谁能看",
            "twin": "数字孪生", "min_zoom": "从哪一级加载", "lon": "经度", "lat": "纬度", "height_m": "高度（米）",
            "heading_deg": "朝向（度）", "scale": "比例",
        },
        name="title",
        region="region_id",
        actor="changed_by",
        history=True,
        instead="在“三维模型”里改回来，或恢复到以前的版本。",
    ),
    Tracked(
        kind="scene_package",
        title="三维模型文件包",
        model="scenes.ScenePackage",
        fields={"name": "文件", "state": "状态", "error": "原因", "bytes": "大小（字节）"},
        name="name",
        actor="made_by",
        acts=("created",),
        instead="上传新的文件，或恢复到以前的版本。",
    ),
    Tracked(
        kind="scene_version",
        title="三维模型版本",
        model="scenes.SceneVersion",
        fields={"number": "版本", "title": "名称", "note": "说明"},
        name="number",
        actor="made_by",
        acts=("created",),
        instead="在“三维模型”里撤下，或恢复到以前的版本。",
    ),
)  # fmt: skip
