"""Recommending measured offline on simulated families with hidden utilities: NDCG@10 beside nearest-first, and who is shown.

The families and institutions are invented by a seed; nothing of anybody is used. What a family really wants (its own weights,
its way of travelling, the quality it finds) is hidden from the engine: it sees what families state, with noise and gaps, and what
they open. The peer is nearest-first in the same run: of all where only the home is stated, else of those that take the child's age.
"""

from __future__ import annotations

from typing import Any

from tests.bench._scratch import scratch
from tests.bench.report import Bar


def run() -> list[Bar]:
    """Return how well the order suits before and after use, how often new and small institutions are shown, and how long it takes."""
    with scratch("recommending") as database:
        found = database.part("_recommending", "measure")
    return [*_orders(found), *_shares(found), _speed(found)]


def _orders(found: dict[str, Any]) -> list[Bar]:
    words = {
        "home": "only the home stated",
        "stated": "what families state, no use yet",
        "used": f"stated and {found['days']} days of use",
        "used_only": f"only the home stated, {found['days']} days of use",
    }
    note = f"{found['families']} families, {found['institutions']} institutions"
    bars = []
    for key, said in words.items():
        of_all = key in ("home", "used_only")
        peer = found["nearest_plain" if of_all else "nearest"]
        which = "of all" if of_all else f"of those that take the child (of all: {found['nearest_plain']:.3f})"
        error = f"±{found[f'{key}_error']:.3f} (95 %)"
        bars.append(
            Bar(
                f"NDCG@10, {said}",
                found[key],
                peer,
                found[key] / peer,
                "",
                f"{note}; {error}; peer: nearest-first {which}",
            )
        )
    return bars


def _shares(found: dict[str, Any]) -> list[Bar]:
    ours, without = found["small_share"], found["small_share_without"]
    never, never_without = found["never"], found["never_without"]
    suiting = f"they are {found['small_suiting']:.1%} of those that suit"
    lost = f"NDCG@10 without fairness {found['used_without']:.3f}"
    return [
        Bar("share of new and small among the three recommended", ours, without, ours / without, "",
            f"{suiting}; nearest-first {found['small_share_nearest']:.1%}; peer: the same order without fairness; {lost}"),
        Bar("institutions that suit somebody and were recommended to nobody", never, never_without,
            never_without / never if never else None, "", f"of all, after {found['days']} days; peer: without fairness"),
    ]  # fmt: skip


def _speed(found: dict[str, Any]) -> Bar:
    return Bar(
        "an order of 10,000 places, explained",
        found["ms"],
        None,
        None,
        "ms",
        "score, fairness and ten rows of reasons, p50",
    )
