"""From where a request comes, for those who are known by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

HOME: Final = 64  # bits of an IPv6 address that one client has all of
LONGEST: Final = 20  # steps of X-Forwarded-For that are looked at
NOWHERE: Final = "nowhere"
"""The address of who comes by a local socket, or by something that is none."""


def networks(text: str) -> Networks:
    """Of addresses and networks, separated by commas. Raises ValueError that names the wrong one."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


class Addresses:
    """`trusted` are our own proxies: what one of these says of who asked it is believed, and nobody else."""

    def __init__(self, trusted: Networks = ()) -> None:
        self._trusted = trusted

    def of(self, scope: Scope) -> str:
        """An IPv4 address, or the /64 network of an IPv6 one."""
        return shown(self._nearest(scope))

    def whole(self, scope: Scope) -> str:
        """The address itself, to be told to another process of ours; empty where there is none."""
        nearest = self._nearest(scope)
        return "" if nearest is None else str(nearest)

    def _nearest(self, scope: Scope) -> Address | None:
        peer = parsed(scope["client"][0]) if scope.get("client") else None
        if peer is not None and self._trusts(peer):
            peer = self._behind(peer, scope)
        return peer

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _behind(self, proxy: Address, scope: Scope) -> Address:
        """From the last one back, past our own: what stands before was written by who knows whom."""
        nearest = proxy
        for text, _ in zip(forwarded(scope), range(LONGEST), strict=False):
            if (address := parsed(text)) is None:
                break
            nearest = address
            if not self._trusts(address):
                break
        return nearest


def forwarded(scope: Scope) -> Iterator[str]:
    """X-Forwarded-For from its end, however many headers it came in."""
    lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    yield from reversed(b",".join(lines).decode("latin-1").split(","))


@lru_cache(maxsize=4096)
def parsed(text: str) -> Address | None:
    """Some proxies add the port; an IPv4 address may come dressed as an IPv6 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


@lru_cache(maxsize=4096)
def shown(address: Address | None) -> str:
    if address is None:
        return NOWHERE
    return str(address) if address.version == 4 else str(ip_network((address, HOME), strict=False))
