"""What the log centre is told of advisers; their numbers are never among it."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="adviser",
        title="科学育儿指导员",
        model="advisers.Adviser",
        fields={
            "post": "在岗",
            "engaged": "聘用方式",
            "certified_on": "发证日期",
            "from_day": "到岗日期",
            "to_day": "离岗日期",
        },
        name="certificate",
        history=True,
        instead="由站点重新提交变更申请，经审核后生效。",
        page="/desk/ledgers/advisers/{id}",
    ),
)
