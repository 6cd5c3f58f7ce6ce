"""What the log centre is told of long work: asked for, done, failed, cancelled."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="job",
        title="后台任务",
        model="jobs.Job",
        fields={"state": "状态", "kind": "任务", "attempts": "次数", "error": "原因"},
        kept="access",
        name="kind",
        actor="actor",
        request="request_id",
        state="state",
        states={
            "running": "后台任务开始",
            "done": "后台任务完成",
            "failed": "后台任务失败",
            "cancelled": "取消后台任务",
            "queued": "后台任务重新排队",
        },
        failing=("failed",),
        acts=("created", "changed"),
        channel="task",
    ),
)
