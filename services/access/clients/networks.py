"""White lists of network addresses: what may be written there, and whether an address stands in one. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from geo.errors import BadInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST: Final = 100
WIDEST_V4: Final = 8
WIDEST_V6: Final = 32


def plain_address(text: str) -> Address | None:
    """Return an address, an IPv4 one that is written inside an IPv6 one as itself; ``None`` where the text is none."""
    try:
        found: Address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return found.ipv4_mapped or (None if found.scope_id else found)
    return found


def network_of(text: str) -> Network:
    """Return the network that was typed: ``203.0.113.7``, ``203.0.113.0/24``, ``2001:db8::/48``.

    Raises ``BadInput`` for anything else, for host bits that are set (the writer meant another network), and for networks so
    wide that they are no white list.
    """
    typed = text.strip()
    try:
        network: Network = ipaddress.ip_network(typed, strict=True)
    except ValueError as fault:
        raise BadInput(
            "network_invalid",
            f"“{typed[:60]}”不是网络地址。请写成 203.0.113.7、203.0.113.0/24 或 2001:db8::/48 的样子。",
        ) from fault
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise BadInput("network_mapped", f"“{typed[:60]}”请直接写成 IPv4 地址。")
    if network.prefixlen < (WIDEST_V4 if network.version == 4 else WIDEST_V6):
        raise BadInput("network_too_wide", f"“{typed[:60]}”范围太大，起不到白名单的作用。请写平台真正的出口地址。")
    return network


def networks_of(lines: Iterable[str]) -> list[str]:
    """Return typed networks as they are kept, each once, in their order. Raises ``BadInput``; none at all is refused too."""
    found = list(dict.fromkeys(str(network_of(line)) for line in lines if line.strip()))
    if not found:
        raise BadInput("networks_missing", "请至少写一个访问地址；没有白名单的平台不能调用接口。")
    if len(found) > MOST:
        raise BadInput("networks_too_many", f"最多 {MOST} 个地址，请合并成网段。")
    return found


def is_listed(address: str | None, networks: Iterable[str]) -> bool:
    """Say whether an address stands in one of the kept networks; an unknown address stands in none."""
    found = plain_address(address) if address else None
    if found is None:
        return False
    return any(found in network for network in map(ipaddress.ip_network, networks) if network.version == found.version)
