"""How organisations and the audit log are kept at the desk."""

from services.access.models import AuditAct
from services.kernel.spec import Column, LedgerSpec

LEDGERS = (
    LedgerSpec(
        key="organisations",
        title="机构主体",
        model="access.Organisation",
        counter="家",
        icon="landmark",
        duty="facilities.view",
        organisation="pk",
        searched=("name", "credit_code"),
        columns=(
            Column("name", "名称", sorts=True, filters=True),
            Column("credit_code", "统一社会信用代码", filters=True),
            Column("parent__name", "上级机构"),
            Column("active", "在用", "flag", filters=True),
        ),
    ),
    LedgerSpec(
        key="audit",
        title="审计记录",
        model="access.AuditEntry",
        counter="条",
        icon="shield-check",
        duty="audit.view",
        name="actor",
        region="",
        searched=("actor", "path"),
        columns=(
            Column("actor", "操作人", sorts=True, filters=True),
            Column("act", "做了什么", "choice", tuple(AuditAct.choices), filters=True),
            Column("at", "时间", "moment", sorts=True, filters=True),
            Column("path", "页面或接口", filters=True),
            Column("address", "网络地址"),
            Column("detail", "详情", shown=False),
        ),
    ),
)
