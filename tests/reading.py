"""Reads of a browser's page that wait for the whole page.

A click returns as soon as the page it leads to *begins* to arrive, and reads such as ``count`` and ``all`` take what is there
at that moment: on a busy machine that is half a list. Here each of them first waits until the document is complete.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

LOCATOR_READS = ("all", "all_inner_texts", "all_text_contents", "count", "is_hidden", "is_visible")
PAGE_READS = ("content", "evaluate")


def wait_before_reads() -> None:
    """Make the immediate reads of Playwright's pages and locators wait for the document; a second call changes nothing."""
    from playwright.sync_api import Locator, Page

    for name in LOCATOR_READS:
        _patch(Locator, name, lambda locator: locator.page)
    for name in PAGE_READS:
        _patch(Page, name, lambda page: page)


def _patch(of: type, name: str, page_of: Callable[[Any], Any]) -> None:
    read = getattr(of, name)
    if hasattr(read, "__wrapped__"):
        return

    @wraps(read)
    def whole(self: Any, *arguments: Any, **named: Any) -> Any:
        page_of(self).wait_for_load_state("domcontentloaded")
        return read(self, *arguments, **named)

    setattr(of, name, whole)
