"""However much a request asks for, it leaves connections to others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from domain.ids import payment_of
from read_api import few
from tests.read_api.conftest import Api
from tests.read_api.town import order_of, settle

COUNT: Final = 'a#: searchProducts(text: "#", first: 1) { totalCount }'
COUNTS: Final = f"{{ {' '.join(COUNT.replace('#', str(n)) for n in range(15))} }}"
ONE: Final = """
query ($id: ID!, $payment: ID!) {
  order(id: $id) {
    chargeStatus saga { status slow } sagas { id }
    notifications { user { id } } customer { orders(first: 2) { totalCount } }
    payment { customer { id } order { id } }
    lines { product { category { path { name } children { id } } variants { stock { available } } } }
  }
  was: order(id: $id, asOf: {at: "2030-01-01T00:00:00Z"}) { version customer { id } }
  became: order(id: $id, asOf: {version: 1}) { version payment { id } }
  history(id: $id) { type }
  difference(id: $payment, before: {version: 1}, after: {version: 2}) { path }
}
"""
LISTS: Final = """
{
  orders(first: 3) { totalCount nodes { customer { displayName notifications(first: 1) { totalCount } } } }
  users(first: 3) { nodes { orders(first: 2) { totalCountCapped nodes { saga { id } payment { id } } } } }
  searchProducts(first: 3) { totalCount facets { categories { category { parent { id } } } } nodes { category { id } } }
  sagas(first: 3) { nodes { order { id } usualAge { median } } }
  readModels { model }
}
"""


class Seats:
    """How many connections are taken at a time."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken = self.most = 0
        self._connection = api.pool.connection
        monkeypatch.setattr(api.pool, "connection", self.connection)

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        async with self._connection(timeout) as connection:
            self.taken += 1
            self.most = max(self.most, self.taken)
            try:
                yield connection
            finally:
                self.taken -= 1


@pytest.mark.parametrize("document", [COUNTS, LISTS])
async def test_a_request_has_three_connections_at_a_time(
    api: Api, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    await settle(api, 3)
    seats = Seats(api, monkeypatch)
    await api.ask(document, "staff")
    assert seats.most == few.AT_ONCE
    assert seats.taken == 0


async def test_others_have_their_own(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    seats = Seats(api, monkeypatch)
    await asyncio.gather(*(api.ask(COUNTS, "staff") for _ in range(2)))
    assert seats.most > few.AT_ONCE


@pytest.mark.usefixtures("executed")
@pytest.mark.parametrize("document", [ONE, LISTS])
async def test_nobody_who_has_a_connection_waits_for_another(
    api: Api, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    """With a single one everything is answered, and the same."""
    await settle(api, 3)
    ids = {"id": str(order_of(1)), "payment": str(payment_of(order_of(1)))}
    answer = await api.ask(document, "staff", **ids)
    monkeypatch.setattr(few, "AT_ONCE", 1)
    assert await api.ask(document, "staff", **ids) == answer
