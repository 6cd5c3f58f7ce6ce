"""The functions of catchments in the catalogue."""

from layers.spec import ServiceSpec

SERVICES = (
    ServiceSpec(
        key="match",
        title="地址找对口幼儿园",
        category="assign",
        summary="给一个地址，返回对口的幼儿园、按哪条规则、看的是哪个版本、该问谁。",
        path="/api/v1/match/kindergarten",
        method="POST",
        example={"address": "{address}"},
        page="/enrol",
    ),
)
