"""Who is not signed in is known by address; only our own proxies are believed about it."""

from __future__ import annotations

import pytest

from infra.limiting.address import NOWHERE, Addresses, networks

PROXIES = Addresses(networks("10.0.0.0/8, fd00::/8"))


def scope(peer: str | None, *forwarded: str):
    client = (peer, 1234) if peer is not None else None
    return {"client": client, "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded]}


@pytest.mark.parametrize(
    "peer, forwarded, expected",
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # anybody can write that
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.9"], "198.51.100.1"),  # the first was made up by the client
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),  # two headers are one list
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::/64"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [", ".join(["10.0.0.2"] * 1000)], "10.0.0.2"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8:0:1:aaaa::1", [], "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb::2", [], "2001:db8:0:1::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        (None, [], NOWHERE),
        ("testclient", [], NOWHERE),
    ],
)
def test_the_address_that_is_counted(peer, forwarded, expected):
    assert PROXIES.of(scope(peer, *forwarded)) == expected


def test_without_proxies_nobody_is_believed():
    assert Addresses().of(scope("10.0.0.1", "198.51.100.1")) == "10.0.0.1"


def test_a_network_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        networks("10.0.0.0/33")


def test_the_whole_address_is_told_to_our_own_processes() -> None:
    assert PROXIES.whole(scope("10.0.0.1", "203.0.113.9, 2001:db8::7")) == "2001:db8::7"
    assert PROXIES.whole(scope("198.51.100.1", "203.0.113.9")) == "198.51.100.1"
