"""Reads of a browser's page that wait for the whole page, and presses on a map that wait for its picture.

A click returns as soon as the page it leads to *begins* to arrive, and reads such as ``count`` and ``all`` take what is there
at that moment: on a busy machine that is half a list. Here each of them first waits until the document is complete.

A map answers a press by the symbols of its last frame, which on a busy machine is the one before it moved, or before it had its
rows. Here the mouse is pressed only when every map in sight has drawn all it was told to.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Final

CHROMIUM: Final = os.environ.get("QUANTU_CHROMIUM", "/usr/bin/chromium-headless-shell")
"""Chromium without windows, tabs and menus: the same pages, and a fourth of the work for each one that is opened."""
WITH_CAMERA: Final = os.environ.get("QUANTU_CHROMIUM", "/usr/bin/chromium")
"""The whole Chromium, for pages that take photographs: the other has no camera."""

LOCATOR_READS = ("all", "all_inner_texts", "all_text_contents", "count", "is_hidden", "is_visible")
PAGE_READS = ("content", "evaluate")
PRESSES = ("click", "dblclick", "down")

STILL = """(seconds) => Promise.all([...document.querySelectorAll('.maplibregl-map')]
    .filter((holder) => holder.quantu && holder.checkVisibility())
    .map((holder) => new Promise((done, fail) => {
        setTimeout(() => fail(new Error(`the map #${holder.id} did not come to rest`)), 1000 * seconds);
        const again = setInterval(() => holder.quantu.triggerRepaint(), 1000);
        holder.quantu.once('idle', () => { clearInterval(again); done(); });
        holder.quantu.triggerRepaint();
    })))"""
"""Waits until every map in sight has moved, loaded, faded and drawn to the end."""
PATIENCE_S: Final = 20
"""So long a press waits for the maps; then it is made all the same, and what it did is for the test to say."""


def wait_before_reads() -> None:
    """Make the immediate reads of Playwright's pages and locators wait for the document; a second call changes nothing."""
    from playwright.sync_api import Locator, Page

    for name in LOCATOR_READS:
        _patch(Locator, name, lambda locator: locator.page)
    for name in PAGE_READS:
        _patch(Page, name, lambda page: page)


def wait_for_maps(page: Any, seconds: int = 60) -> None:
    """Wait until every map in sight stands still and has drawn all it was told to; a map that never does is an error."""
    page.evaluate(STILL, seconds)


def wait_before_presses(page: Any) -> None:
    """Make the mouse of a page wait for its maps before each press, for ``PATIENCE_S`` at most."""
    from playwright.sync_api import Error

    def patient(press: Callable[..., None]) -> Callable[..., None]:
        @wraps(press)
        def pressed(*arguments: Any, **named: Any) -> None:
            with suppress(Error):
                wait_for_maps(page, PATIENCE_S)
            press(*arguments, **named)

        return pressed

    for name in PRESSES:
        setattr(page.mouse, name, patient(getattr(page.mouse, name)))


def _patch(of: type, name: str, page_of: Callable[[Any], Any]) -> None:
    read = getattr(of, name)
    if hasattr(read, "__wrapped__"):
        return

    @wraps(read)
    def whole(self: Any, *arguments: Any, **named: Any) -> Any:
        page_of(self).wait_for_load_state("domcontentloaded")
        return read(self, *arguments, **named)

    setattr(of, name, whole)
