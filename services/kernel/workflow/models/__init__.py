"""What the workflow keeps: settings of regions, cases with tasks and timeline, what stands beside them, the catalogue."""

from services.kernel.workflow.models.applying import Application, CaseReview, Feedback, FeedbackState
from services.kernel.workflow.models.cases import Case, CaseEvent, Delegation, Task, TaskState, Watch
from services.kernel.workflow.models.catalogue import Audience, CatalogueEntry, MatterKind, MatterTemplate
from services.kernel.workflow.models.flows import (
    FlowVersion,
    MatterSetting,
    PoolMember,
    ReviewSetting,
    StepSetting,
    VersionState,
)

__all__ = [
    "Application",
    "Audience",
    "Case",
    "CaseEvent",
    "CaseReview",
    "CatalogueEntry",
    "Delegation",
    "Feedback",
    "FeedbackState",
    "FlowVersion",
    "MatterKind",
    "MatterSetting",
    "MatterTemplate",
    "PoolMember",
    "ReviewSetting",
    "StepSetting",
    "Task",
    "TaskState",
    "VersionState",
    "Watch",
]
