"""What the log centre is told of the entries of 养老服务一件事."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="outside_entry",
        title="养老服务一件事入口",
        model="careservice.OutsideEntry",
        fields={"kind": "机构类别", "url": "网址"},
        name="kind",
        actor="changed_by",
        history=True,
        instead="在“申请入口”里把网址改回来。",
        page="/desk/apply-entries",
    ),
)
