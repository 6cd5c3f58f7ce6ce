"""Which files pages of knowledge keep, those of their earlier versions too."""

from __future__ import annotations

from django.apps import apps

from geo.kept import KeptFolder


def _files() -> set[str]:
    models = (apps.get_model("kernel_knowledge", name) for name in ("KnowledgePage", "KnowledgeEvent"))
    places = (model._default_manager.exclude(file="").values_list("file", flat=True) for model in models)
    return {place.removeprefix("knowledge/") for found in places for place in found}


KEPT = (KeptFolder("knowledge", "知识库文件", _files),)
