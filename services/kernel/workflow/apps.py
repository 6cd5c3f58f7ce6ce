"""Django's entry for the workflow."""

from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "services.kernel.workflow"
    label = "kernel_workflow"
    verbose_name = "办件"

    def ready(self) -> None:
        """Let a form that is handed in for a matter open its case."""
        from services.kernel.forms.signals import handed_in
        from services.kernel.workflow.applying import take_submission

        handed_in.connect(take_submission, dispatch_uid="kernel_workflow.applying")
