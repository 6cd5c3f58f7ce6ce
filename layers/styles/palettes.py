"""The colours data may be drawn in, by palette and theme, as the design's tokens say them. Pure.

``web/static/css/tokens.css`` holds the same colours under the same names: a test keeps both alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark", "elder"]
THEMES: Final[tuple[Theme, ...]] = ("light", "dark", "elder")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours in order; ``token`` is the name of their tokens, which count from ``first``."""

    key: str
    title: str
    token: str
    light: tuple[str, ...]
    dark: tuple[str, ...]
    ordered: bool = True
    first: int = 1

    def name_of(self, at: int) -> str:
        """Return the name of the token of a colour, counted from 0."""
        return f"{self.token}-{at + self.first}"

    def colours(self, theme: Theme) -> tuple[str, ...]:
        """Return the colours of a theme; 长辈版 has those of the light one."""
        return self.dark if theme == "dark" else self.light

    def steps(self, count: int) -> tuple[int, ...]:
        """Return which colours (from 0) so many classes bear: the ends always, the others evenly between."""
        size = len(self.light)
        if not self.ordered or count >= size:
            return tuple(range(min(count, size)))
        if count == 1:
            return (size // 2,)
        half = [round(number * (size - 1) / (count - 1) - 1e-9) for number in range((count + 1) // 2)]
        mirrored = [size - 1 - step for step in reversed(half[: count // 2])]
        return (*half, *mirrored)


_QUANTITY: Final = ("#E1ECF9", "#B4D0F0", "#7BAAE0", "#3B7ACB", "#12448A")
PALETTES: Final[dict[str, Palette]] = {
    one.key: one
    for one in (
        Palette("quantity", "数量（越多越醒目）", "quantity", _QUANTITY, tuple(reversed(_QUANTITY))),
        Palette(
            "gap",
            "缺口（越缺越醒目）",
            "gap",
            ("#F7EBD3", "#EFCB86", "#DD9E35", "#B06A12", "#713F06"),
            ("#2B3641", "#554B37", "#8A682F", "#C8902F", "#FFCB5C"),
        ),
        Palette(
            "diverging",
            "两边分开（中间为常）",
            "diverging",
            ("#8A4B08", "#CF8B3F", "#F0D2A6", "#EEF0F2", "#A8CBEA", "#4A8BCB", "#12448A"),
            ("#8A4B08", "#CF8B3F", "#F0D2A6", "#2B3641", "#A8CBEA", "#4A8BCB", "#12448A"),
        ),
        Palette(
            "category",
            "分类（最多 5 种）",
            "category",
            ("#1257B8", "#C57E24", "#21A571", "#7F1159", "#504A11"),
            ("#7DB2FF", "#EEB991", "#267B57", "#B7469C", "#917F29"),
            ordered=False,
            first=0,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Ink:
    """What is not data: the colour of a single symbol, of no data and of the rest, of edges, of words and their halo."""

    accent: str
    other: str
    edge: str
    ring: str
    text: str
    halo: str
    on_accent: str
    text_px: int


INKS: Final[dict[Theme, Ink]] = {
    "light": Ink("#1257B8", "#5F6B79", "#7F8A97", "#FFFFFF", "#16202B", "#F7F7F5", "#FFFFFF", 12),
    "dark": Ink("#7DB2FF", "#8F9BA8", "#6F7D8B", "#10151B", "#EEF2F6", "#10151B", "#0B1A2E", 12),
    "elder": Ink("#0B4596", "#2B3642", "#5A6775", "#FFFFFF", "#0B1218", "#FFFFFF", "#FFFFFF", 18),
}
