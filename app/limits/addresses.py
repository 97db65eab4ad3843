"""Whom an address stands for: the party that can be told apart by it."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

NOBODY: Final = "unknown"
"""What addresses that cannot be read stand for, all together."""
_SITE_BITS: Final = 64


def party(address: str) -> str:
    """Return an IPv4 address, or the network of an IPv6 address: one site has all of its /64 (RFC 6177).

    An IPv4 address that is written as IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 address.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return NOBODY
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), _SITE_BITS), strict=False))
