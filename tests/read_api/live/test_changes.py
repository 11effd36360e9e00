"""Subscriptions over server-sent events: first how things are, then their changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.access import TokenExpired
from domain.ids import OrderId, payment_of, slice_of
from domain.products import stock
from domain.sagas.events import ActionKind
from domain.sagas.saga import evolve
from domain.token import ConsistencyToken
from read_api.live.following import FIRST
from sagas.engine import Engine
from sagas.processes import PROCESSES
from tests.domain.orders.samples import CUSTOMER, confirmed, placed, tea_shipped
from tests.domain.payments.samples import CAPTURED
from tests.eventually import until
from tests.projections.stories import order_id, told
from tests.read_api.conftest import MOST_STREAMS, OTHER, Api, owned_by
from tests.read_api.live.events import Stream, streamed
from tests.read_api.served import served
from tests.read_api.town import a_product, a_saga, an_id
from tests.specification import AT

ORDER = order_id(1)
STORY = told((placed, confirmed, tea_shipped), ORDER)
ONE = """subscription ($id: ID!, $after: String) {
    orderChanged(id: $id, after: $after) { cursor order { version status } }
}"""
MINE = "subscription ($of: ID) { ordersChanged(customerId: $of) { cursor order { id version } } }"
PAYMENT = "subscription ($id: ID!) { paymentChanged(orderId: $id) { payment { status nextAction { url } } } }"
STOCK = (
    "subscription ($ids: [ID!]!) { stockChanged(variantIds: $ids) { variantId stock { version available onHand } } }"
)
SAGAS = "subscription ($where: SagasWhere) { sagasChanged(where: $where) { saga { version paused waitsFor } } }"


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Over a real port: in memory a stream is only seen when it has ended."""
    async with served(api.app) as address, httpx.AsyncClient(base_url=address, timeout=20) as client:
        yield client


def version(data: Any) -> int:
    found: int = data["orderChanged"]["order"]["version"]
    return found


async def refusal(stream: Stream) -> Any:
    event = await stream.next()
    (error,) = event.data["errors"]
    assert (await stream.next()).name == "complete"
    return error


async def test_the_present_state_comes_first_and_then_each_change(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert (await stream.data())["orderChanged"]["order"] == {"version": 1, "status": "PLACED"}
        await api.has_seen("orders", STORY[1:2])
        assert (await stream.data())["orderChanged"]["order"] == {"version": 2, "status": "CONFIRMED"}
        await api.has_seen("orders", STORY[2:])
        assert version(await stream.data()) == 3


@pytest.mark.parametrize("by", ["header", "argument"])
async def test_who_connects_again_is_not_told_what_they_saw(api: Api, client: httpx.AsyncClient, by: str) -> None:
    await api.has_seen("orders", STORY[:2])
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        last = await stream.next()
    assert last.id == last.data["data"]["orderChanged"]["cursor"]
    headers, after = ({"last-event-id": str(last.id)}, None) if by == "header" else ({}, last.id)
    async with streamed(client, ONE, headers=headers, id=str(ORDER), after=after) as stream:
        await until(lambda: api.live.followers == 1)
        await api.live.look()
        await api.has_seen("orders", STORY[2:])
        assert version(await stream.data()) == 3


async def test_what_was_missed_meanwhile_comes_at_once(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        last = await stream.next()
    await api.has_seen("orders", STORY[1:])
    async with streamed(client, ONE, id=str(ORDER), headers={"last-event-id": str(last.id)}) as stream:
        assert version(await stream.data()) == 3


@pytest.mark.parametrize("who", ["other", "customer"])
async def test_what_is_not_ones_own_looks_like_what_is_not_there(api: Api, client: httpx.AsyncClient, who: str) -> None:
    await api.has_seen("orders", [owned_by(CUSTOMER, event) for event in STORY])
    async with streamed(client, ONE, who, id=str(ORDER if who == "other" else uuid4())) as stream:
        assert (await refusal(stream))["extensions"]["code"] == "NOT_FOUND"


async def test_nobody_follows_orders(client: httpx.AsyncClient) -> None:
    async with streamed(client, ONE, None, id=str(ORDER)) as stream:
        assert (await refusal(stream))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_sagas_are_followed_by_those_who_work_here(client: httpx.AsyncClient) -> None:
    async with streamed(client, SAGAS) as stream:
        assert (await refusal(stream))["extensions"]["code"] == "FORBIDDEN"


async def test_what_was_just_written_is_waited_for(api: Api, client: httpx.AsyncClient) -> None:
    feed = await api.has_seen("orders", STORY)
    token = ConsistencyToken.of("orders", feed.incarnation, [(slice_of(ORDER), 3)])
    async with streamed(client, ONE, headers={"consistency-token": str(token)}, id=str(ORDER)) as stream:
        event = await stream.next()
    assert version(event.data["data"]) == 3
    assert event.data["extensions"]["consistency"]["satisfied"] is True


async def test_a_customer_follows_all_their_orders(api: Api, client: httpx.AsyncClient) -> None:
    others = [owned_by(OTHER, event) for event in told((placed,), order_id(3))]
    await api.has_seen("orders", [*STORY[:1], *told((placed,), order_id(2)), *others])
    async with streamed(client, MINE) as stream:
        first = {(await stream.data())["ordersChanged"]["order"]["id"] for _ in range(2)}
        assert first == {str(order_id(1)), str(order_id(2))}
        await api.has_seen("orders", [*told((placed,), order_id(4)), *STORY[1:2]])
        after = [(await stream.data())["ordersChanged"]["order"] for _ in range(2)]
    assert {(order["id"], order["version"]) for order in after} == {(str(order_id(4)), 1), (str(ORDER), 2)}


def many_orders() -> list[Any]:
    return [event for number in range(FIRST + 5) for event in told((placed,), order_id(number))]


OLDEST = min(order_id(number) for number in range(FIRST + 5))
"""All were created at the same moment, and then the id decides."""


async def test_every_order_is_followed_however_old_it_is(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", many_orders())
    async with streamed(client, MINE) as stream:
        first = [(await stream.data())["ordersChanged"]["order"]["id"] for _ in range(FIRST)]
        assert str(OLDEST) not in first
        await api.has_seen("orders", told((placed, confirmed), OLDEST)[1:])
        assert (await stream.data())["ordersChanged"]["order"] == {"id": str(OLDEST), "version": 2}


async def test_what_changed_meanwhile_comes_however_old_it_is(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", many_orders())
    async with streamed(client, MINE) as stream:
        last = [await stream.next() for _ in range(FIRST)][-1]
    changed = told((placed, confirmed), OLDEST)[1].model_copy(update={"timestamp": datetime.now(UTC)})
    await api.has_seen("orders", [changed])
    async with streamed(client, MINE, headers={"last-event-id": str(last.id)}) as stream:
        assert (await stream.data())["ordersChanged"]["order"] == {"id": str(OLDEST), "version": 2}


async def test_every_saga_is_followed_however_old_it_is(api: Api, client: httpx.AsyncClient) -> None:
    sagas = {events[0].originator_id: events for events in (a_saga(number) for number in range(FIRST + 2))}
    await api.has_seen("sagas", [event for events in sagas.values() for event in events])
    document = SAGAS.replace("saga {", "saga { id")
    async with streamed(client, document, "staff", where={"status": {"in": ["RUNNING"]}}) as stream:
        first = {(await stream.data())["sagasChanged"]["saga"]["id"] for _ in range(FIRST)}
        oldest = next(id for id in sagas if str(id) not in first)
        await api.has_seen("sagas", paused(sagas[oldest]))
        assert (await stream.data())["sagasChanged"]["saga"]["id"] == str(oldest)


def paused(events: list[Any]) -> list[Any]:
    saga = None
    for event in events:
        saga = evolve(saga, event)
    assert saga is not None
    return Engine(PROCESSES).act(saga, ActionKind.PAUSE, uuid4(), None, "lunch", AT)


async def test_nobody_follows_the_orders_of_others(api: Api, client: httpx.AsyncClient) -> None:
    async with streamed(client, MINE, of=str(OTHER)) as stream:
        assert (await refusal(stream))["extensions"]["code"] == "NOT_FOUND"


async def test_a_payment_comes_as_soon_as_there_is_one(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, PAYMENT, id=str(ORDER)) as stream:
        await until(lambda: api.live.followers == 1)
        await api.has_seen("payments", told(CAPTURED, payment_of(OrderId(ORDER))))
        assert (await stream.data())["paymentChanged"]["payment"]["status"] == "CAPTURED"


async def test_everybody_follows_the_stock_of_what_is_sold(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("products", a_product(1))
    variant = an_id("variant", 1)
    async with streamed(client, STOCK, None, ids=[str(variant)]) as stream:
        now = (await stream.data())["stockChanged"]
        assert (now["variantId"], now["stock"]["available"], now["stock"]["onHand"]) == (str(variant), 5, None)
        state = None
        for event in a_product(1):
            if event.originator_id == variant:
                state = stock.evolve(state, event)  # type: ignore[arg-type]
        assert state is not None
        await api.has_seen("products", stock.receive(state, 7, at=AT))
        assert (await stream.data())["stockChanged"]["stock"]["available"] == 12


@pytest.mark.parametrize("ids, code", [([], "INVALID_VALUE"), (["x"], "INVALID_FILTER"), ([str(uuid4())], "NOT_FOUND")])
async def test_stock_that_cannot_be_followed_is_refused(client: httpx.AsyncClient, ids: list[str], code: str) -> None:
    async with streamed(client, STOCK, None, ids=ids) as stream:
        assert (await refusal(stream))["extensions"]["code"] == code


async def test_sagas_are_followed_while_conditions_hold_and_once_more_then(api: Api, client: httpx.AsyncClient) -> None:
    events: list[Any] = a_saga(1)
    await api.has_seen("sagas", events)
    async with streamed(client, SAGAS, "staff", where={"status": {"in": ["RUNNING"]}}) as stream:
        assert (await stream.data())["sagasChanged"]["saga"]["paused"] is False
        await api.has_seen("sagas", paused(events))
        assert (await stream.data())["sagasChanged"]["saga"]["paused"] is True


async def test_a_token_that_has_expired_ends_the_stream(
    api: Api, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        assert version(await stream.data()) == 1

        def expired(token: str) -> Any:
            raise TokenExpired

        monkeypatch.setattr(api.app, "_authenticate", expired)
        assert (await refusal(stream))["extensions"]["code"] == "TOKEN_EXPIRED"
    await until(lambda: api.live.followers == 0)


async def test_somebody_has_so_many_streams_and_no_more(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streamed(client, ONE, id=str(ORDER))) for _ in range(MOST_STREAMS)]
        assert [version(await each.data()) for each in streams] == [1] * MOST_STREAMS
        async with streamed(client, ONE, id=str(ORDER)) as one_more:
            error = await refusal(one_more)
            assert error["extensions"] == {"code": "TOO_MANY_STREAMS", "maximum": MOST_STREAMS}
        async with streamed(client, ONE, "staff", id=str(ORDER)) as of_another:
            assert version(await of_another.data()) == 1
    await until(lambda: api.live.followers == 0)
    async with streamed(client, ONE, id=str(ORDER)) as again:
        assert version(await again.data()) == 1


async def test_streams_end_when_the_process_stops(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, ONE, id=str(ORDER)) as stream:
        await stream.data()
        api.live.stop()
        assert (await stream.next()).name == "complete"
    async with streamed(client, ONE, id=str(ORDER)) as late:
        assert (await late.next()).name == "complete"


@pytest.mark.parametrize(
    "document, code",
    [
        ("{ __typename }", "INVALID_DOCUMENT"),
        ("subscription { nothing }", "INVALID_DOCUMENT"),
        ("{", "INVALID_DOCUMENT"),
    ],
)
async def test_only_subscriptions_come_as_events(client: httpx.AsyncClient, document: str, code: str) -> None:
    async with streamed(client, document) as stream:
        assert (await refusal(stream))["extensions"]["code"] == code


async def test_a_cursor_that_is_none_is_refused(api: Api, client: httpx.AsyncClient) -> None:
    await api.has_seen("orders", STORY[:1])
    async with streamed(client, ONE, id=str(ORDER), after="x") as stream:
        assert (await refusal(stream))["extensions"]["code"] == "INVALID_CURSOR"
