"""`chobo verify payments` names what gateway, payments and orders do not agree on, and is quiet otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from commands.payments.gateway import Authorise, Intent, IntentStatus
from domain.aggregate import States
from domain.ids import AttemptId, OrderId, PaymentId, new_id
from domain.orders import CONTEXT as ORDERS
from domain.payments.payment import ChargeStatus
from domain.value import PaymentMethod
from infra.gateway.faults import Fault
from infra.verify.finding import Code, Finding
from infra.verify.payment_watch import LOCK, PaymentWatch
from infra.verify.payments import PaymentCheck
from infra.verify.recording import recording
from tests.commands.payments.desk import DECLINED, REDIRECT, Desk, eur, opened
from tests.domain.orders import samples as order
from tests.infra.stored import a_log, append
from tests.projections.stories import told
from tests.specification import Make

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Orders:
    """The states of the orders that are in the log."""

    known: dict[UUID, Any] = field(default_factory=dict)

    async def states(self, ids: Iterable[UUID]) -> States:
        return States(self.known.get)


@dataclass
class Books:
    desk: Desk
    database: str
    orders: Orders = field(default_factory=Orders)

    def ordered(self, order_id: UUID, *story: Make) -> None:
        events = told(story, order_id)
        append(self.database, "orders", events)
        self.orders.known[order_id] = ORDERS.fold(None, events)

    def check(self, *, repair: bool = False, since: datetime = LONG_AGO) -> PaymentCheck:
        desk = self.desk
        pools, record = {"payments": desk.pool, "orders": desk.pool}, recording(desk.loop, "memory")
        return PaymentCheck(
            pools, desk.loop, self.orders, desk.gateway, since, record=record if repair else None, patience=0.01
        )

    async def found(self, **how: Any) -> list[Finding]:
        return [finding async for finding in self.check(**how).findings()]

    async def codes(self, **how: Any) -> list[Code]:
        return [finding.code for finding in await self.found(**how)]


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    await a_log(database, "orders", [])
    async with opened(database) as desk:
        yield Books(desk, database)


async def intent(books: Books, id: UUID) -> Intent:
    return await books.desk.seen(id)


async def test_sound_books(books: Books) -> None:
    desk = books.desk
    await desk.begun()
    for token in ("pm_card_visa", DECLINED, REDIRECT, "pm_bankTransfer", "pm_unheard_of"):
        await desk.authorised(token)
    await desk.captured(400)
    id = await desk.captured()
    await desk.ask(id, "give-back", reason="CANCELLATION")
    await desk.work()
    assert await books.found() == []
    check = books.check()
    assert [finding async for finding in check.findings()] == []
    assert check.tally.checked == 8


async def lost_capture(books: Books) -> UUID:
    id = await books.desk.authorised("pm_bankTransfer")
    books.desk.gateway.receive((await intent(books, id)).reference)
    return id


async def lost_refund(books: Books) -> UUID:
    id = await books.desk.captured()
    books.desk.gateway.refund_directly((await intent(books, id)).reference, eur(100))
    return id


async def lost_charge_back(books: Books) -> UUID:
    id = await books.desk.captured()
    books.desk.gateway.charge_back((await intent(books, id)).reference)
    return id


async def lost_expiry(books: Books) -> UUID:
    id = await books.desk.authorised("pm_card_holdsBriefly")
    books.desk.clock.moved += timedelta(minutes=5)
    return id


async def lost_action(books: Books) -> UUID:
    id = await books.desk.authorised(REDIRECT)
    books.desk.gateway.act((await intent(books, id)).reference)
    return id


LOST = {
    lost_capture: [Code.STATUS_DIFFERS, Code.CAPTURED_DIFFERS],
    lost_refund: [Code.REFUNDED_DIFFERS],
    lost_charge_back: [Code.CHARGED_BACK_DIFFERS],
    lost_expiry: [Code.STATUS_DIFFERS],
    lost_action: [Code.STATUS_DIFFERS],
}


@pytest.mark.parametrize("loses", LOST, ids=lambda loses: loses.__name__)
async def test_what_a_lost_webhook_would_have_told_is_named_and_recorded(books: Books, loses: Any) -> None:
    id = await loses(books)
    found = await books.found()
    assert [finding.code for finding in found] == LOST[loses]
    assert {finding.stream for finding in found} == {id}
    mended = await books.found(repair=True)
    assert [(f.code, f.repaired) for f in mended] == [(code, True) for code in LOST[loses]]
    assert await books.found() == []


async def test_what_another_made_at_the_gateway_is_kept_as_unmatched_once(books: Books) -> None:
    await books.desk.authorised()
    await stranger(books, PaymentId(new_id()))
    for _ in range(2):
        assert await books.codes(repair=True) == [Code.NOT_IN_PAYMENTS]
    assert (await books.desk.types()).count("webhook-received") == 1


async def test_a_second_attempt_at_the_gateway_of_a_payment_of_ours_is_named_too(books: Books) -> None:
    id = await books.desk.authorised()
    await stranger(books, PaymentId(id))
    (found,) = await books.found()
    assert (found.code, found.stream) == (Code.NOT_IN_PAYMENTS, id)


async def test_another_accounts_gateway_is_noticed(books: Books) -> None:
    id = await books.desk.authorised()
    books.desk.gateway._attempts.clear()
    (found,) = await books.found()
    assert (found.code, found.stream, found.wrong) == (Code.NOT_AT_GATEWAY, id, True)


async def test_another_amount_is_not_recorded_away(books: Books) -> None:
    id = await books.desk.authorised()
    attempt = books.desk.gateway._attempts[(await intent(books, id)).reference]
    attempt.intent = replace(attempt.intent, amount=eur(999))
    (found,) = await books.found(repair=True)
    assert (found.code, found.repaired) == (Code.AMOUNT_DIFFERS, False)


async def test_a_gateway_that_does_not_answer_is_not_taken_for_agreeing(books: Books) -> None:
    await books.desk.authorised()
    books.desk.trouble.at("get", *[Fault.TIMEOUT_BEFORE] * 20)
    found = await books.found()
    assert [(f.code, f.wrong) for f in found] == [(Code.NOT_COMPARED, True)]


async def test_what_is_only_on_its_way_is_not_told(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two looks the webhook comes."""
    id = await lost_action(books)
    hook, check = books.desk.gateway.drain()[-1], books.check()
    differing = check._differing

    async def heard(ids: Sequence[UUID]) -> Any:
        found = await differing(ids)
        await books.desk.hear(hook)
        return found

    monkeypatch.setattr(check, "_differing", heard)
    assert [finding async for finding in check.findings()] == []
    assert (await books.desk.payment(id)).status is ChargeStatus.AUTHORISED


@pytest.mark.parametrize("story", [(order.placed, order.confirmed), (order.placed, order.confirmed, order.tea_shipped)])
async def test_a_confirmed_order_has_money(books: Books, story: tuple[Make, ...]) -> None:
    unpaid, paid, declined = (OrderId(new_id()) for _ in range(3))
    books.ordered(unpaid, *story)
    await begun(books, paid, "pm_card_visa")
    await begun(books, declined, DECLINED)
    for id in (paid, declined):
        books.ordered(id, *story)
    found = await books.found()
    assert {(f.code, f.row) for f in found} == {
        (Code.ORDER_WITHOUT_MONEY, unpaid),
        (Code.ORDER_WITHOUT_MONEY, declined),
    }


@pytest.mark.parametrize("closing", [order.rejected, order.expired])
async def test_a_closed_order_has_none_of_its_customers_money(books: Books, closing: Make) -> None:
    held, given_back = OrderId(new_id()), OrderId(new_id())
    await begun(books, held, "pm_card_visa")
    payment = await begun(books, given_back, "pm_card_visa")
    for id in (held, given_back):
        books.ordered(id, order.placed, closing)
    await books.desk.ask(payment, "give-back", reason="CANCELLATION")
    assert [f.row for f in await books.found()] == [held]  # what is under way is not told
    await books.desk.work()
    (found,) = await books.found()
    assert (found.code, found.row) == (Code.MONEY_WITHOUT_ORDER, held)


async def test_who_is_charged_twice_is_named(books: Books) -> None:
    id = OrderId(new_id())
    payment = await begun(books, id, DECLINED)
    books.ordered(id, order.placed, order.confirmed)
    books.desk.orders.placed[id] = replace(choice(books, id), token="pm_bankTransfer")
    assert (await books.desk.post("/v1/payments", orderId=str(id))).status_code == 201
    await books.desk.work()
    first, second = (await books.desk.payment(payment)).attempts
    for attempt in (first, second):
        assert attempt.reference
        of = books.desk.gateway._attempts[attempt.reference]
        of.intent = replace(of.intent, status=IntentStatus.CAPTURED, captured=eur(1000), at=books.desk.clock())
    codes = Counter(await books.codes(repair=True))
    assert codes[Code.CHARGED_TWICE] == 1


async def test_what_has_not_changed_lately_may_be_left_out(books: Books) -> None:
    await lost_action(books)
    assert await books.codes(since=datetime.now(UTC) + timedelta(minutes=1)) == []


async def test_the_watch_records_and_counts_what_is_left_one_process_at_a_time(books: Books) -> None:
    await lost_capture(books)
    await stranger(books, PaymentId(new_id()))
    watch = PaymentWatch(books.database, lambda: books.check(repair=True), 3600)
    async with await psycopg.AsyncConnection.connect(books.database, autocommit=True) as other:
        await other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert not await watch.compare()
    assert await watch.compare()
    assert watch.found == {Code.NOT_IN_PAYMENTS: 1}
    assert "payment-captured" in await books.desk.types()


async def stranger(books: Books, payment_id: PaymentId) -> None:
    card = (PaymentMethod.CREDIT_CARD, eur(500), "pm_card_visa")
    await books.desk.gateway.authorise(Authorise(new_id(), payment_id, OrderId(new_id()), AttemptId(new_id()), *card))


async def begun(books: Books, order_id: OrderId, token: str) -> UUID:
    other = books.desk.orders.place(token)
    books.desk.orders.placed[order_id] = books.desk.orders.placed.pop(other)
    answer = await books.desk.post("/v1/payments", orderId=str(order_id))
    await books.desk.work()
    return UUID(answer.json()["id"])


def choice(books: Books, order_id: OrderId) -> Any:
    return books.desk.orders.placed[order_id]
