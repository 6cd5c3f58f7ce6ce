"""Pins of maps: a shape, a colour of the categories and an icon inside; as markup for pages, as pictures for maps."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import path
from django.utils.safestring import SafeString
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from geo.errors import NotFound, Unavailable
from layers.styles.maplibre import HATCH
from layers.styles.palettes import INKS, PALETTES, THEMES, Theme
from layers.styles.spec import COLOURED, SHAPES
from web.doors.finder.markup import filled

WIDTH: Final = 32
HEIGHT: Final = 40
OUTLINES: Final = {
    "drop": ("M16 39S3 25.5 3 15.5a13 13 0 0 1 26 0C29 25.5 16 39 16 39z", 8.0, 7.5, 0.667),
    "disc": ("M16 39l-4-8.6A14 14 0 1 1 20 30.4z", 7.0, 8.0, 0.75),
    "tile": ("M6 3h20a4 4 0 0 1 4 4v20a4 4 0 0 1-4 4h-6l-4 8-4-8H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4z", 7.0, 8.0, 0.75),
    "gem": ("M16 1 31 17 16 39 1 17z", 9.0, 9.0, 0.583),
    "flag": ("M3 3h26v16c0 9-9 14-13 20C12 33 3 28 3 19z", 7.0, 7.0, 0.75),
}
"""By shape, in a box of 32 × 40 whose lowest point is the place: the outline, and where the icon stands and how large."""
_NAME: Final = re.compile(r"(?P<shape>[a-z]+)-(?P<tone>\d)-(?P<icon>[a-z0-9]+(?:-[a-z0-9]+)*)")


def pin(shape: str, tone: int, icon: str, label: str = "") -> SafeString:
    """Return a pin as markup, in the colours of the page; ``tone`` 0 is the rest. Decoration unless a ``label`` names it."""
    outline, x, y, scale = OUTLINES[shape]
    said = filled('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return filled(
        '<svg class="pin" viewBox="0 0 32 40" width="24" height="30" {}><path class="fill-{}" d="{}"></path>'
        '<svg class="pin-icon" x="{}" y="{}" width="{}" height="{}"><use href="{}#{}"></use></svg></svg>',
        said, f"category-{tone - 1}" if tone else "other", outline, x, y, 24 * scale, 24 * scale,
        static("vendor/icons.svg"), icon,
    )  # fmt: skip


@require_safe
@cache_control(public=True, max_age=86_400)
def picture(request: HttpRequest, theme: str, name: str) -> HttpResponse:
    """Send a pin as SVG in the colours of a theme. Raises ``NotFound``."""
    if theme in THEMES and name == HATCH:
        return HttpResponse(hatched(theme), content_type="image/svg+xml")
    named = _NAME.fullmatch(name)
    if theme not in THEMES or named is None or named["shape"] not in SHAPES or int(named["tone"]) > COLOURED:
        raise NotFound("pin_unknown", "没有这种标记。")
    return HttpResponse(drawn(named["shape"], int(named["tone"]), named["icon"], theme), content_type="image/svg+xml")


def hatched(theme: Theme) -> str:
    """Return the pattern that areas without data are filled with: lines that go on in the next tile of it."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16">'
        f'<path d="M-4 4 4-4M-4 20 20-4M12 20 20 12" fill="none" stroke="{INKS[theme].other}" stroke-width="1.6"/></svg>'
    )


def drawn(shape: str, tone: int, icon: str, theme: Theme) -> str:
    """Return a pin as a picture of its own. Raises ``NotFound`` for an icon there is not."""
    glyph = _glyphs().get(icon)
    if glyph is None:
        raise NotFound("pin_unknown", "没有这种标记。")
    outline, x, y, scale = OUTLINES[shape]
    ink = INKS[theme]
    colour = PALETTES["category"].colours(theme)[tone - 1] if tone else ink.other
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{2 * WIDTH}" height="{2 * HEIGHT}">'
        f'<path d="{outline}" fill="{colour}" stroke="{ink.ring}" stroke-width="1.6" stroke-linejoin="round"/>'
        f'<g transform="translate({x} {y}) scale({scale})" fill="none" stroke="{ink.ring}" stroke-width="2.2" '
        f'stroke-linecap="round" stroke-linejoin="round">{glyph}</g></svg>'
    )


def _glyphs() -> dict[str, str]:
    found = finders.find("vendor/icons.svg")
    if not found:
        raise Unavailable("icons_missing", "图标还没有准备好，请稍后再试。", retry_after=60)
    return _read(found, Path(found).stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(file: str, changed: int) -> dict[str, str]:
    text = Path(file).read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', text, re.DOTALL))


ROUTES = [path("pins/<slug:theme>/<slug:name>.svg", picture, name="pin")]
