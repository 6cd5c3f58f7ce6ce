"""What the log centre is told of files: brought, removed, found infected, their names not; and of texts of templates."""

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
    Tracked(
        kind="template_version",
        title="文书模板版本",
        model="kernel_documents.TemplateVersion",
        fields={"number": "第几版", "name": "文件名", "note": "改了什么"},
        name="name",
        actor="uploaded_by",
        acts=("created", "deleted"),
        page="/desk/templates",
        instead="在“文书模板”里重新上传这份 Word，或发布别的版本。",
    ),
)
