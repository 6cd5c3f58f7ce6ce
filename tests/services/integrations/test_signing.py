"""Signed requests whose parameters are as strange as strangers send them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.integrations.signing import MOST_PARAMETERS, Verdict, signed_headers, verdict

SECRET = "0" * 40


def judged(query: str, sent: str | None = None) -> Verdict:
    """Return the verdict on a request signed for one query and sent with another."""
    headers = signed_headers(app="quli", secret=SECRET, method="GET", path="/api", query=query, body=b"")
    return verdict(
        headers, app="quli", secrets=[SECRET], method="GET", path="/api", query=query if sent is None else sent, body=b"",
        first_use=lambda nonce, seconds: True,
    )  # fmt: skip


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=MOST_PARAMETERS))
def test_any_parameters_can_be_signed_and_stand_in_any_order(pairs: list[tuple[str, str]]) -> None:
    query = urlencode(pairs)
    assert judged(query) == Verdict(secret=0)
    assert judged(query, urlencode(pairs[::-1])) == Verdict(secret=0)


@given(st.text(max_size=300))
def test_whatever_stands_behind_the_question_mark_is_judged_and_breaks_nothing(query: str) -> None:
    assert judged("", query).fault in {"", "wrong", "form"}


@pytest.mark.parametrize("sign", ["&", "a=1&"])
def test_more_parameters_than_anybody_needs_are_refused(sign: str) -> None:
    assert judged("a=1", sign * MOST_PARAMETERS).fault == "form"
    assert judged("a=1", sign * 100_000).fault == "form"
