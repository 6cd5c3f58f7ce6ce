"""What platforms may do with fences as things move: say what they follow, report positions, read what was done, be told of it."""

from services.access.clients.spec import Operation

OPERATIONS = (
    Operation(
        key="fences.follow",
        title="围栏跟踪：约定跟踪什么",
        method="PUT",
        route="/api/v1/fences/followings/{purpose}",
        required=("region",),
        duties=("fences.view",),
    ),
    Operation(
        key="fences.positions",
        title="围栏跟踪：上报位置",
        method="POST",
        route="/api/v1/fences/positions",
        required=(),
        duties=(),
    ),
    Operation(
        key="fences.events",
        title="围栏跟踪：读取事件",
        method="GET",
        route="/api/v1/fences/events",
        required=(),
        free=("after", "limit", "reader"),
        duties=(),
    ),
    Operation(
        key="fences.receiver",
        title="围栏跟踪：设置回调地址",
        method="PUT",
        route="/api/v1/fences/receiver",
        required=(),
        duties=(),
    ),
)
