"""What the log centre is told of ledgers: spreadsheets on their way in."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="sheet",
        title="台账导入",
        model="kernel_ledger.LedgerImport",
        fields={"ledger": "台账", "checked_at": "核对时间", "written_at": "写入时间", "discarded_at": "放弃时间"},
        name="ledger",
        actor="actor",
        page="/desk/imports/{id}",
        acts=("created", "changed"),
    ),
)
