"""The addresses of 装修垃圾预约, for residents and for the desk."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from web.doors.waste import desk, pages


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Explain to residents how to make an appointment, and to staff how to correct one and watch 一张图."""
    return render(request, "help/waste.html")


ROUTES = [
    path("waste", pages.list_page, name="waste"),
    path("waste/new", pages.new_page, name="waste-new"),
    path("waste/where", pages.where, name="waste-where"),
    path("waste/<uuid:uid>", pages.one_page, name="waste-one"),
    path("waste/<uuid:uid>/change", pages.change_page, name="waste-change"),
    path("waste/<uuid:uid>/cancel", pages.cancel_page, name="waste-cancel"),
    path("desk/waste/<int:pk>", desk.appointment_page, name="desk-waste"),
    path("desk/waste/<int:pk>/cancel", desk.cancel, name="desk-waste-cancel"),
    path("desk/onemap", desk.one_map_page, name="desk-onemap"),
    path("desk/onemap/<int:pk>/again", desk.again, name="desk-onemap-again"),
    path("help/waste", help_page, name="help-waste"),
]
