"""White lists of addresses: what may be typed, and what stands in them, against the library's own words bit by bit."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import BadInput
from services.access.clients.networks import is_listed, network_of, networks_of, plain_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("2001:DB8::/48", "2001:db8::/48"),
        ("2001:db8::1", "2001:db8::1/128"),
    ],
)
def test_addresses_and_networks_are_kept_in_one_writing(typed: str, kept: str) -> None:
    assert networks_of([typed, typed, ""]) == [kept]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("203.0.113.7/24", "network_invalid"),  # the writer meant another network
        ("203.0.113", "network_invalid"),
        ("203.000.113.007", "network_invalid"),
        ("district.example", "network_invalid"),
        ("0.0.0.0/0", "network_too_wide"),
        ("::/0", "network_too_wide"),
        ("10.0.0.0/7", "network_too_wide"),
        ("::ffff:203.0.113.7", "network_mapped"),
        ("::ffff:0:0/96", "network_mapped"),
        ("203.0.113.7; DROP", "network_invalid"),
    ],
)
def test_what_is_no_white_list_is_refused(typed: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        network_of(typed)
    assert refused.value.code == code


def test_an_empty_white_list_is_refused() -> None:
    with pytest.raises(BadInput, match="至少"):
        networks_of(["", "  "])


@given(
    base=st.integers(0, 2**32 - 1), width=st.integers(8, 32), address=st.integers(0, 2**32 - 1), inside=st.booleans()
)
def test_an_address_is_listed_exactly_when_its_first_bits_are_those_of_the_network(
    base: int, width: int, address: int, inside: bool
) -> None:
    mask = (2**32 - 1) ^ (2 ** (32 - width) - 1)
    if inside:  # else hardly any pair would meet
        address = (base & mask) | (address & ~mask)
    network = f"{ipaddress.IPv4Address(base & mask)}/{width}"
    said = str(ipaddress.IPv4Address(address))
    expected = format(address, "032b")[:width] == format(base, "032b")[:width]
    assert is_listed(said, [network]) is expected
    assert is_listed(f"::ffff:{said}", [network]) is expected
    assert not is_listed(said, ["2001:db8::/32"])


@pytest.mark.parametrize("text", ["", "unknown", "203.0.113.7, 10.0.0.1", "203.0.113.7:80", "fe80::1%eth0", "0x7f.1"])
def test_what_is_no_address_is_never_listed(text: str) -> None:
    assert plain_address(text) is None
    assert not is_listed(text, ["0.0.0.0/8", "203.0.113.0/24"])
