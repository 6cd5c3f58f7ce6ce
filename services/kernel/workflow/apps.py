"""Django's entry for the workflow."""

from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "services.kernel.workflow"
    label = "kernel_workflow"
    verbose_name = "办件"
