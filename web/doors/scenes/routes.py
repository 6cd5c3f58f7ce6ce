"""The addresses of the map in three dimensions and of its models."""

from __future__ import annotations

from django.urls import path

from web.doors.scenes import desk, page, served

ROUTES = [
    path("scenes.json", served.scenes_json, name="scenes"),
    path("scenes/<slug:key>/<slug:digest>/<path:path>", served.scene_file, name="scene-file"),
    path("desk/scenes", desk.list_page, name="desk-scenes"),
    path("desk/scenes/new", desk.new_page, name="desk-scene-new"),
    path("desk/scenes/<slug:key>", desk.one_page, name="desk-scene"),
    path("desk/scenes/<slug:key>/files", desk.files, name="desk-scene-files"),
    path("help/scenes", desk.help_page, name="help-scenes"),
    *page.ROUTES,
]
