"""One-time codes: the vectors of RFC 6238, drift, and that no code opens twice."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.signin.onetime import (
    RECOVERY_CODES,
    STEP_S,
    code_at,
    looks_like_recovery_code,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    step_of,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("moment", "eight"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_standard(moment: int, eight: str) -> None:
    assert code_at(SECRET, moment // STEP_S) == eight[2:]


@given(now=st.integers(10**6, 2**33), drift=st.integers(-4, 4))
def test_a_clock_may_be_half_a_minute_off_and_no_more(now: int, drift: int) -> None:
    secret = new_secret()
    code = code_at(secret, now // STEP_S + drift)
    near = {code_at(secret, now // STEP_S + each) for each in (-1, 0, 1)}
    assert (step_of(secret, code, now=now, after=0) is not None) is (code in near)


def test_a_code_taken_once_is_not_taken_again() -> None:
    step = step_of(SECRET, "287082", now=59, after=0)
    assert step == 1
    assert step_of(SECRET, "287082", now=59, after=step) is None


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "28708a", "２８７０８２", "-87082"])
def test_what_is_no_code_is_wrong(typed: str) -> None:
    assert step_of(SECRET, typed, now=59, after=0) is None


def test_a_code_may_be_typed_with_a_gap() -> None:
    assert step_of(SECRET, " 287 082 ", now=59, after=0) == 1


def test_recovery_codes_differ_and_may_be_typed_carelessly() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert recovery_digest(codes[0].upper().replace("-", " ")) == recovery_digest(codes[0])
    assert len({recovery_digest(code) for code in codes}) == RECOVERY_CODES
    assert all(map(looks_like_recovery_code, codes))
    assert not any(map(looks_like_recovery_code, ("123456", "", "k7wq-m2xd-9fh", "k7wq-m2xd-9fhl")))
