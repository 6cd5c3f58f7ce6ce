"""The calibration of stated radii as a picture: how many places lie inside, from the narrowest tenth of the answers to the widest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

GROUPS: Final = 10
STATED: Final = 0.9
WIDTH, HEIGHT, LEFT, TOP, FLOOR = 720, 400, 60, 50, 330


@dataclass(frozen=True, slots=True)
class Group:
    """Answers of about one stated radius: their number, the median radius, and the share of places inside."""

    answers: int
    radius_m: float
    inside: float


def grouped(answers: Sequence[tuple[float, float]], groups: int = GROUPS) -> list[Group]:
    """Return answers (radius, how far wrong, in metres) in groups of one size, the narrowest radii first."""
    ranked = sorted(answers)
    cuts = [round(at * len(ranked) / groups) for at in range(groups + 1)]
    parts = [ranked[low:high] for low, high in zip(cuts, cuts[1:], strict=False) if high > low]
    return [
        Group(len(part), part[len(part) // 2][0], sum(wrong <= radius for radius, wrong in part) / len(part))
        for part in parts
    ]


def plot(groups: Sequence[Group], title: str) -> str:
    """Return an SVG: a column for each group as high as the share inside, its radius below, a line where all should end."""
    step = (WIDTH - LEFT - 20) / max(len(groups), 1)

    def at(share: float) -> float:
        return FLOOR - share * (FLOOR - TOP)

    def text(x: float, y: float, said: str, anchor: str = "middle") -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(said)}</text>'

    drawn = [
        text(LEFT, 28, title, "start"),
        text(LEFT, HEIGHT - 12, "median stated radius of each group, metres", "start"),
    ]
    for share in (0.0, 0.5, 1.0):
        drawn.append(text(LEFT - 10, at(share) + 4, f"{share:.0%}", "end"))
    for number, group in enumerate(groups):
        left, top = LEFT + number * step, at(group.inside)
        drawn.append(f'<rect x="{left + 4:.1f}" y="{top:.1f}" width="{step - 8:.1f}" height="{FLOOR - top:.1f}"/>')
        drawn.append(text(left + step / 2, top + 18, f"{100 * group.inside:.0f}"))
        drawn.append(text(left + step / 2, FLOOR + 20, f"{group.radius_m:.0f}"))
    line = at(STATED)
    drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{line:.1f}" y2="{line:.1f}"/>')
    style = "text{font:13px sans-serif;fill:#1c2733}rect{fill:#8fb4e8}line{stroke:#c0392b;stroke-width:2;stroke-dasharray:6 4}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<style>{style}</style><rect width="{WIDTH}" height="{HEIGHT}" style="fill:#fff"/>{"".join(drawn)}</svg>\n'
    )
