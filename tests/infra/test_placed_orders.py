"""How a placed order is to be paid, from a real log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from psycopg_pool import AsyncConnectionPool

from commands.log import Unavailable
from commands.services import PaymentChoice
from domain.errors import NotFound
from domain.ids import OrderId
from domain.orders.events import OrderPlaced
from domain.payments.errors import OrderNotPlaced, PaymentTokenErased
from infra.event_log.reader import LogReader
from infra.placed_orders import LogPlacedOrders
from projections.history import NotReadable
from tests.domain.orders.samples import CUSTOMER, confirmed, drafted, placed
from tests.infra.stored import SameKey, a_log, append, execute
from tests.projections.stories import told
from tests.specification import Make


class Erasing(SameKey):
    """Everybody is erased."""

    def get(self, owner: UUID) -> bytes | None:
        return None


@pytest.fixture
async def pool(database: str) -> AsyncIterator[AsyncConnectionPool]:
    await a_log(database, "orders", [])
    async with AsyncConnectionPool(database, min_size=1, max_size=2, timeout=1, open=False) as pool:
        yield pool


def order(database: str, *story: Make) -> OrderId:
    id = OrderId(uuid4())
    append(database, "orders", told(story, id))
    return id


def orders(pool: AsyncConnectionPool, keys: SameKey | None = None) -> LogPlacedOrders:
    return LogPlacedOrders(LogReader(pool, "orders", keys or SameKey()))


async def test_customer_total_method_and_token_are_those_of_the_placed_order(
    database: str, pool: AsyncConnectionPool
) -> None:
    (event,) = told((placed,), uuid4())
    assert isinstance(event, OrderPlaced)
    assert isinstance(event.payment_token, str)
    choice = await orders(pool).choice(order(database, placed, confirmed))
    assert choice == PaymentChoice(CUSTOMER, event.total, event.payment_method, event.payment_token)
    assert event.payment_token not in repr(choice)


async def test_a_draft_is_not_paid_before_it_is_placed(database: str, pool: AsyncConnectionPool) -> None:
    with pytest.raises(OrderNotPlaced):
        await orders(pool).choice(order(database, drafted))
    with pytest.raises(NotFound):
        await orders(pool).choice(OrderId(uuid4()))


async def test_an_erased_token_is_refused(database: str, pool: AsyncConnectionPool) -> None:
    with pytest.raises(PaymentTokenErased):
        await orders(pool, Erasing()).choice(order(database, placed))


async def test_an_order_that_cannot_be_read_is_not_taken_for_a_draft(database: str, pool: AsyncConnectionPool) -> None:
    id = order(database, placed)
    execute(database, "UPDATE orders.stored_events SET topic = 'orders.of-tomorrow'")
    with pytest.raises(NotReadable):
        await orders(pool).choice(id)


async def test_a_database_that_is_away_is_no_refusal(database: str, pool: AsyncConnectionPool) -> None:
    await pool.close()
    with pytest.raises(Unavailable):
        await orders(pool).choice(OrderId(uuid4()))
