"""The addresses of three-dimensional models."""

from __future__ import annotations

from django.urls import path

from web.doors import scenes, scenes_desk

ROUTES = [
    path("scenes.json", scenes.scenes_json, name="scenes"),
    path("scenes/<slug:key>/<slug:digest>/<path:path>", scenes.scene_file, name="scene-file"),
    path("desk/scenes", scenes_desk.list_page, name="desk-scenes"),
    path("desk/scenes/new", scenes_desk.new_page, name="desk-scene-new"),
    path("desk/scenes/<slug:key>", scenes_desk.one_page, name="desk-scene"),
    path("desk/scenes/<slug:key>/files", scenes_desk.files, name="desk-scene-files"),
    path("help/scenes", scenes_desk.help_page, name="help-scenes"),
]
