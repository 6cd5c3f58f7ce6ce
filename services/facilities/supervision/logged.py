"""What the log centre is told of the public facts of supervision."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="supervision_facts",
        title="监管公示",
        model="facilities_supervision.SupervisionFacts",
        fields={
            "listed": "平台上有没有", "as_of": "截至", "inspected_on": "最近检查", "finding": "检查结果", "grade": "等级",
            "credit": "信用",
        },
        name="organisation_id",
        organisation="organisation_id",
        history=True,
    ),
)  # fmt: skip
