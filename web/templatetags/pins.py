"""Template tags of pins: the symbols of layers as pages show them."""

from django import template

from web.doors.maps.pins import pin

register = template.Library()
register.simple_tag(pin)
