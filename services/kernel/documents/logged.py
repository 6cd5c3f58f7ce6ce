"""What the log centre is told of files: brought, removed, found infected. Their names are not told."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="file",
        title="附件",
        model="kernel_documents.Attachment",
        fields={"owner_kind": "所属", "purpose": "用途", "version": "版本", "state": "查毒", "removed_at": "移除时间"},
        name="purpose",
        region="region_id",
        actor="uploaded_by",
        state="state",
        states={"refused": "附件有病毒，已隔离", "clean": "附件已查毒"},
        failing=("refused",),
        page="/desk/files/{id}",
        instead="在附件页面恢复已移除的文件，或重新上传旧版。",
    ),
)
