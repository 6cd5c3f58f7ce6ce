"""What is left of secrets on a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crypto.masking import mask_identity, mask_name, mask_phone, mask_text


@pytest.mark.parametrize(
    ("masked", "shown"),
    [
        (mask_phone("13812345678"), "138****5678"),
        (mask_phone("1234567"), "*******"),
        (mask_identity("310101199001011234"), "31**************34"),
        (mask_name("张三丰"), "张**"),
        (mask_name("张"), "*"),
        (mask_name(""), ""),
        (mask_text("电话13812345678，证件31010119900101123X。"), "电话138****5678，证件31**************3X。"),
        (mask_text("编号 2026112100001"), "编号 2026112100001"),
    ],
)
def test_examples(masked: str, shown: str) -> None:
    assert masked == shown


@given(st.text(alphabet="0123456789", max_size=20))
def test_never_more_than_the_ends_and_never_another_length(digits: str) -> None:
    assert mask_phone(digits).count("*") >= min(len(digits), max(1, len(digits) - 7)) * (len(digits) > 0)
    assert len(mask_phone(digits)) == len(digits)
    assert sum(sign != "*" for sign in mask_identity(digits)) <= 4
