"""Django's entry for knowledge."""

from django.apps import AppConfig


class KnowledgeConfig(AppConfig):
    name = "services.kernel.messages.knowledge"
    label = "kernel_knowledge"
    verbose_name = "知识库"
