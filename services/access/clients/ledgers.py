"""How platforms and their calls are looked through at the desk."""

from services.access.clients.models import Outcome
from services.kernel.spec import Column, LedgerSpec

LEDGERS = (
    LedgerSpec(
        key="clients",
        title="接入平台",
        model="access_clients.ApiClient",
        counter="个",
        icon="route",
        duty="clients.edit",
        region="",
        order="name",
        tracked=True,
        searched=("name", "app", "keeper"),
        columns=(
            Column("name", "平台名称", sorts=True, filters=True),
            Column("app", "平台编号", filters=True),
            Column("keeper", "责任单位和联系人", filters=True),
            Column("active", "在用", "flag", filters=True),
            Column("from_day", "从哪天", "day"),
            Column("to_day", "到哪天", "day", sorts=True, filters=True),
            Column("per_minute", "每分钟次数", "integer", shown=False),
            Column("per_day", "每天次数", "integer", shown=False),
        ),
    ),
    LedgerSpec(
        key="client-calls",
        title="接口调用记录",
        model="access_clients.ClientCall",
        counter="次",
        icon="list",
        duty="clients.edit",
        name="app",
        region="",
        searched=("app", "path", "reason", "asked_region", "asked_organisation"),
        columns=(
            Column("app", "平台编号", sorts=True, filters=True),
            Column("client__name", "平台名称"),
            Column("at", "时间", "moment", sorts=True, filters=True),
            Column("operation", "接口", filters=True),
            Column("outcome", "结果", "choice", tuple(Outcome.choices), filters=True),
            Column("reason", "拒绝原因", filters=True),
            Column("status", "状态码", "integer", filters=True),
            Column("address", "访问地址"),
            Column("asked_region", "查询区域", filters=True),
            Column("asked_organisation", "查询机构", filters=True),
            Column("path", "路径", shown=False),
            Column("method", "方式", shown=False),
            Column("key", "用哪个密钥", shown=False),
            Column("ms", "耗时", "integer", unit="毫秒", shown=False),
        ),
    ),
)
