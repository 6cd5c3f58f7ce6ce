"""What the log centre is told of the knowledge base, and how a page returns to what it said."""

from services.kernel.logs.spec import Rollback, Tracked

TRACKED = (
    Tracked(
        kind="knowledge",
        title="知识库",
        model="kernel_knowledge.KnowledgePage",
        fields={"title": "标题", "category": "分类", "body": "正文", "deleted_at": "删除时间"},
        name="title",
        region="region_id",
        actor="changed_by",
        history=True,
        page="/desk/knowledge/{id}",
        rollback=Rollback(restore="services.kernel.messages.knowledge.restoring:restore_page", duty="knowledge.edit"),
    ),
)
