"""What the log centre is told of recommending: the city's switch; nothing of those who agreed."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="recommending_switch",
        title="机构推荐开关",
        model="finder_recommending.RecommendingSwitch",
        fields={"on": "开启"},
        name="city",
        actor="changed_by",
        history=True,
        instead="打开系统设置，重新开启或关闭机构推荐。",
        page="/desk/settings",
    ),
)
