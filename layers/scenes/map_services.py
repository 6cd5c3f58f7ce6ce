"""What others may ask of scenes over HTTP."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="scenes",
        title="三维模型",
        category="data",
        summary="一块范围里有哪些三维模型：倾斜摄影（3D Tiles）和单体模型（glTF）的网址、位置、高度、来源。",
        path="/api/v1/scenes",
        page="/scene",
        example={},
    ),
)
