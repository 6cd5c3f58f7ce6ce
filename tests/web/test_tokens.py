"""Every colour, size and space that a style or a script names is one that is defined."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

STATIC: Final = Path(__file__).resolve().parents[2] / "web" / "static"
STYLES: Final = sorted((STATIC / "css").glob("*.css"))
SCRIPTS: Final = sorted((STATIC / "js").glob("*.js"))


def found(pattern: str, files: list[Path]) -> dict[str, str]:
    """Return the names a pattern finds in files, each with the first file that has it."""
    named: dict[str, str] = {}
    for file in files:
        for name in re.findall(pattern, file.read_text(encoding="utf-8")):
            named.setdefault(name, file.name)
    return named


def looks() -> dict[str, dict[str, str]]:
    """Return the colours of every look, each by the name of its token; what a look does not say anew is as in the light."""
    text = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    said = {
        look: dict(re.findall(r"(--[a-z0-9-]+):\s*(#[0-9a-f]{3,6}|var\(--[a-z0-9-]+\));", block))
        for look, opening in (("light", ":root {"), ("dark", ".on-paper) {"), ("elder", ':root[data-view="elder"] {'))
        for block in [text.split(opening, 1)[1].split("}", 1)[0]]
    }
    return {look: said["light"] | own for look, own in said.items()}


def luminance(colour: str) -> float:
    """Return the relative luminance of #rgb or #rrggbb (WCAG 2)."""
    digits = "".join(each * 2 for each in colour[1:]) if len(colour) == 4 else colour[1:]
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("look", ["light", "dark", "elder"])
@pytest.mark.parametrize(("ramp", "steps"), [("quantity", 5), ("gap", 5), ("diverging", 7)])
def test_words_can_be_read_on_every_step_of_every_ramp(look: str, ramp: str, steps: int) -> None:
    tokens = looks()[look]
    for number in range(1, steps + 1):
        ink = tokens[f"--on-{ramp}-{number}"]
        pair = (luminance(tokens[f"--{ramp}-{number}"]), luminance(tokens.get(ink[4:-1], ink)))
        contrast = (max(pair) + 0.05) / (min(pair) + 0.05)
        assert contrast >= 4.5, (number, ink, contrast)


def test_labels_of_a_choropleth_are_written_in_the_ink_of_their_step() -> None:
    areas = (STATIC / "css" / "areas.css").read_text(encoding="utf-8")
    said = re.findall(
        r"\.areas-label\.on-([a-z]+-\d) \{ fill: var\(--on-([a-z]+-\d)\); stroke: var\(--([a-z]+-\d)\); \}", areas
    )
    assert len(said) == 17
    assert all(step == ink == halo for step, ink, halo in said)
    assert areas.count(".areas-label.on-") == 17  # no other rule takes it back


def test_every_token_that_is_used_is_defined() -> None:
    defined = found(r"(--[a-z0-9-]+)\s*:", STYLES) | found(r"setProperty\(\s*['\"](--[a-z0-9-]+)", SCRIPTS)
    used = found(r"var\(\s*(--[a-z0-9-]+)\s*\)", STYLES) | found(r"token\('(--[a-z0-9-]+)'", SCRIPTS)
    assert len(used) > 60
    assert {name: file for name, file in used.items() if name not in defined} == {}
