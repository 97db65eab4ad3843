"""Where webhooks may lead: addresses of the public Internet, over https, and nothing that only the gateway can reach.

The rules hold twice: for what a caller writes, and for the addresses that its host's name has at each delivery.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

MAX_URL: Final = 2000
"""The longest address, in characters."""
_LOCAL_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")
"""Names that lead nowhere in the public Internet (RFC 6761, RFC 6762, RFC 8375, and what networks use besides)."""
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes a host an IPv4 address in one of its odd forms (WHATWG URL, host parsing)."""
_ODD: Final = re.compile(r"[^\x21-\x7e]|[\\<>\"{}|^`]")
_REFUSED_4: Final = tuple(map(ip_network, ("192.88.99.0/24", "192.0.0.0/24")))
_PUBLIC_6: Final = ip_network("2000::/3")
_REFUSED_6: Final = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Within it: tunnels into IPv4 (Teredo, 6to4), protocols, documentation. Mapped and translated IPv4 is outside it."""
_MAPPED: Final = "must not be an IPv4 address within an IPv6 one"


class Target(NamedTuple):
    """An address as it is connected to."""

    scheme: str
    host: str
    port: int


class BadTarget(Exception):
    """An address that nothing is sent to; the text says why, for whoever wrote it."""


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public Internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in one for one in _REFUSED_4)
    return found.is_global and found in _PUBLIC_6 and not any(found in one for one in _REFUSED_6)


def target_of(url: str, *, allow_private: bool) -> Target:
    """Return where an address leads, names not yet looked up.

    Raises:
        BadTarget: it has not the form it must have, or leads into a private network where that is not allowed.
    """
    if len(url) > MAX_URL:
        raise BadTarget(f"must be at most {MAX_URL} characters long")
    if _ODD.search(url):
        raise BadTarget("must be a URL of ASCII characters, without blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadTarget("must be a URL with a host and a port that there can be") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise BadTarget("must begin with https://")
    if "@" in parts.netloc:
        raise BadTarget("must not hold credentials")
    if "#" in url:
        raise BadTarget("must not have a fragment")
    if port == 0:
        raise BadTarget("must not name port 0")
    _check_host(host, bracketed="[" in parts.netloc, allow_private=allow_private)
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _check_host(host: str, *, bracketed: bool, allow_private: bool) -> None:
    if bracketed or is_address(host):
        if not is_address(host) or "%" in host:
            raise BadTarget("must have an IPv6 address in its brackets, without a zone")
        _check_address(host, allow_private=allow_private)
        return
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise BadTarget("must have a host name, or an IP address")
    if _NUMBER.fullmatch(labels[-1]):
        raise BadTarget("must write an IPv4 address as four decimal numbers")
    if not allow_private and (len(labels) == 1 or _is_local(labels)):
        raise BadTarget("must not lead to a private network")


def _is_local(labels: list[str]) -> bool:
    name = "." + ".".join(labels)
    return any(name.endswith(f".{local}") for local in _LOCAL_NAMES)


def _check_address(host: str, *, allow_private: bool) -> None:
    found = ip_address(host)
    if isinstance(found, IPv6Address) and (found.ipv4_mapped or found.sixtofour):
        raise BadTarget(_MAPPED)
    if not allow_private and not is_public(host):
        raise BadTarget("must not lead to a private network")
