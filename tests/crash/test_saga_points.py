"""One process that does everything stops at every point between two durable steps of a saga, and begins again.

The gateway lives on elsewhere. Whatever the point: the end is the one of a process that never stopped, money and stock
balance, nobody is charged twice, and nothing is left to be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from domain.ids import OrderId, new_id
from domain.orders.order import Status
from infra.gateway.sandbox import SandboxGateway
from infra.settings import Settings
from tests.crash.points import DIED, Point
from tests.crash.shopkeeper import Life
from tests.e2e.checkouts import Checkouts, insisted
from tests.eventually import until
from tests.full import is_full, randomness, size
from tests.sagas.books import Books, books

SUITE: Final = "crash-points"
CARD: Final = "pm_card_visa"
SAMPLE: Final = 8
ENDED: Final = 60.0  # seconds within which a process dies, or the order settles without its dying
pytestmark = [pytest.mark.full(SUITE), pytest.mark.timeout(3600 if is_full(SUITE) else 300)]

Act = Callable[["Street", OrderId], Awaitable[Any]]


@dataclass(frozen=True)
class Ending:
    """Of an order, everywhere. Versions count events: nothing happened twice on the way."""

    order: tuple[Status, int]
    sagas: tuple[Any, ...]
    payment: tuple[Any, ...]
    reservations: tuple[Any, ...]
    gateway: tuple[Any, ...]
    gone: int  # units
    held: int


class Street:
    """The shop, whose process may die, and its gateway, which does not."""

    def __init__(self, settings: Settings, gateway: SandboxGateway) -> None:
        self.settings = settings
        self.gateway = gateway
        self.lives = 0
        self.life: Life | None = None
        self.shop: Checkouts
        self.books: Books

    async def open(self) -> None:
        await self.begin()
        keys = self.settings.token_keys.get_secret_value()
        self.shop = await Checkouts.opened(self.alive.address, keys, stock=10_000)

    async def begin(self) -> None:
        self.life = await asyncio.to_thread(Life.begun, self.settings)
        self.lives += 1
        if self.lives > 1:
            self.shop.address = self.life.address

    def close(self) -> None:
        if self.life is not None:
            self.life.end()

    @property
    def alive(self) -> Life:
        assert self.life is not None
        return self.life

    async def settled(self, id: OrderId, status: Status) -> None:
        async def met() -> bool:
            order = await self.books.order(id)
            return order is not None and order.status is status and order.saga is None and self.books.idle()

        await until(met, within=ENDED)

    async def ending(self, id: OrderId, before: tuple[int, int]) -> Ending:
        order, payment, stock = await self.books.order(id), await self.books.payment(id), await self.stock()
        assert order
        assert payment
        return Ending(
            order=(order.status, order.version),
            sagas=tuple((s.process, s.outcome, *sorted(s.done), *s.begun.items()) for s in await self.books.sagas(id)),
            payment=(
                payment.version,
                payment.status,
                *((a.status, a.captured, a.refunded, len(a.captures), len(a.refunds)) for a in payment.attempts),
            ),
            reservations=tuple((r.status, r.version) for r in await self.books.reservations(id)),
            gateway=tuple((i.status, i.amount, i.captured, i.refunds) for i in self.books.intents(id)),
            gone=before[0] - stock[0],
            held=before[1] - stock[1],
        )

    async def stock(self) -> tuple[int, int]:
        stock = await self.books.stock(self.shop.variant)
        return stock.on_hand, stock.reserved


@pytest.fixture
async def street(database: str, tmp_path: Path) -> AsyncIterator[Street]:
    async with (
        SandboxGateway(tmp_path, secret="whsec_of_the_tests_only") as gateway,
        opened(database, gateway) as street,
    ):
        yield street


@asynccontextmanager
async def opened(database: str, gateway: SandboxGateway) -> AsyncIterator[Street]:
    defaults = {"database_url": database, "profile": "development", "verify_payments_hours": 0, "rate_limits": 0}
    street = Street(Settings.read({}, defaults=defaults, gateway_url=gateway.address), gateway)
    try:
        await street.open()
        async with books(street.settings, gateway) as street.books:
            yield street
    finally:
        street.close()


async def place(street: Street, id: OrderId) -> None:
    await street.shop.place(id, CARD)


async def cancel(street: Street, id: OrderId) -> None:
    await street.shop.cancel(id)


async def nothing(street: Street, id: OrderId) -> None:
    """There is no order yet."""


async def confirmed(street: Street, id: OrderId) -> None:
    await place(street, id)
    await street.settled(id, Status.CONFIRMED)


async def undisturbed(street: Street, first: Act, act: Act, status: Status) -> tuple[Ending, list[Point]]:
    id, before = OrderId(new_id()), await street.stock()
    await first(street, id)
    street.alive.arm(None)
    await act(street, id)
    await street.settled(id, status)
    return await street.ending(id, before), street.alive.passed()


async def disturbed(street: Street, first: Act, act: Act, status: Status, point: Point) -> tuple[Ending, bool]:
    """How it ended, and whether the process died of it: what is done together may be done in other portions."""
    id, before = OrderId(new_id()), await street.stock()
    await first(street, id)
    street.alive.arm(point)
    acting = asyncio.create_task(insisted(lambda: act(street, id)))
    settling = asyncio.create_task(street.settled(id, status))
    died = await dies(street, settling)
    if died:
        await street.begin()
    await acting
    await settling
    return await street.ending(id, before), died


async def dies(street: Street, settling: asyncio.Task[None]) -> bool:
    """Waits for either; the last point may come when the order is settled already.

    Raises what is wrong with a process that ended otherwise.
    """
    while not settling.done() or not street.alive.spare():
        if (code := await asyncio.to_thread(street.alive.ended, 0.02)) is not None:
            assert code == DIED
            street.alive.end()
            return True
    return False


CASES: Final = {"checkout": (nothing, place, Status.CONFIRMED), "cancellation": (confirmed, cancel, Status.CANCELLED)}


@pytest.mark.parametrize("case", CASES)
async def test_wherever_it_stops_the_end_is_the_same(street: Street, case: str) -> None:
    first, act, status = CASES[case]
    end, points = await undisturbed(street, first, act, status)
    balances(end)
    chosen = randomness().sample(points, size(min(SAMPLE, len(points)), len(points)))
    died = 0
    for point in chosen:
        ended, fatal = await disturbed(street, first, act, status, point)
        assert ended == end, point
        died += fatal
    assert died > len(chosen) // 2, f"it died at {died} of {len(chosen)} points"


def balances(end: Ending) -> None:
    """What the customer paid is what they get goods for, and the gateway was asked for one payment."""
    assert end.held == 0
    ((status, amount, captured, refunds),) = end.gateway
    assert (status, captured) == ("succeeded", amount)
    kept = captured - sum(refunded for _, refunded in refunds)
    assert (end.gone, kept) == ((1, amount) if end.order[0] is Status.CONFIRMED else (0, 0))
