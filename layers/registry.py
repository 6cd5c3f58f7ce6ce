"""The declared layers, found in the ``map_layers`` module of every installed app."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from geo.errors import NotFound
from layers.spec import LayerSpec


@cache
def layers() -> dict[str, LayerSpec]:
    """Return all declared layers by key; two with the same key are a programming error."""
    found: dict[str, LayerSpec] = {}
    for app in apps.get_app_configs():
        name = f"{app.name}.map_layers"
        if find_spec(name) is None:
            continue
        for layer in import_module(name).LAYERS:
            if found.setdefault(layer.key, layer) is not layer:
                raise ValueError(f"the layer {layer.key} is declared twice")
    return found


def layer(key: str) -> LayerSpec:
    """Return one layer, or raise ``NotFound`` with the keys there are."""
    try:
        return layers()[key]
    except KeyError:
        raise NotFound("layer_unknown", "没有这个图层。", known=sorted(layers())) from None
