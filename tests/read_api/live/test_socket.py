"""Subscriptions over WebSocket, message by message, by whoever keeps to the protocol and whoever does not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from domain.access import TokenExpired
from domain.ids import slice_of
from domain.token import ConsistencyToken
from infra.serving import LONGEST_FRAME
from projections.orders.queries import ORDERS
from read_api.live import changes
from tests.eventually import until
from tests.read_api.conftest import ALLOWANCE, MOST_STREAMS, Api
from tests.read_api.live.test_changes import ONE, ORDER, STORY
from tests.read_api.served import served

CUSTOMER = {"Authorization": "Bearer customer"}


@pytest.fixture
async def url(api: Api) -> AsyncIterator[str]:
    await api.has_seen("orders", STORY[:1])
    async with served(api.app) as address:
        yield f"{address.replace('http', 'ws')}/graphql"


def opened(url: str, protocol: str = "graphql-transport-ws") -> connect:
    return connect(url, subprotocols=[Subprotocol(protocol)])


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    return json.loads(await socket.recv(decode=True))


async def greet(socket: ClientConnection, **payload: Any) -> Any:
    await say(socket, type="connection_init", payload=payload)
    return await hear(socket)


async def follow(socket: ClientConnection, id: str = "1", query: str = ONE, **variables: Any) -> None:
    await say(socket, type="subscribe", id=id, payload={"query": query, "variables": {"id": str(ORDER)} | variables})


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with suppress(ConnectionClosed):
        while True:
            await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def order_in(message: Any) -> Any:
    assert (message["type"], message["id"]) == ("next", "1"), message
    return message["payload"]["data"]["orderChanged"]["order"]


async def test_the_present_state_comes_first_and_then_each_change(api: Api, url: str) -> None:
    async with opened(url) as socket:
        assert (await greet(socket, **CUSTOMER))["type"] == "connection_ack"
        await follow(socket)
        assert order_in(await hear(socket))["version"] == 1
        await api.has_seen("orders", STORY[1:2])
        assert order_in(await hear(socket)) == {"version": 2, "status": "CONFIRMED"}
        await say(socket, type="complete", id="1")
        await until(lambda: api.live.followers == 0)


async def test_what_was_just_written_is_waited_for(api: Api, url: str) -> None:
    token = ConsistencyToken.of("orders", api.feeds["orders"].incarnation, [(slice_of(ORDER), 1)])
    async with opened(url) as socket:
        ack = await greet(socket, **CUSTOMER, **{"Consistency-Token": str(token)})
    assert ack["payload"]["consistency"]["satisfied"] is True


@pytest.mark.parametrize(
    "payload, reason",
    [
        ({"Authorization": "Bearer forged"}, "TOKEN_INVALID"),
        ({"Authorization": "forged"}, "UNAUTHENTICATED"),
        ({"Authorization": 1}, "UNAUTHENTICATED"),
        ({**CUSTOMER, "consistency-token": "x"}, "INVALID_CONSISTENCY_TOKEN"),
    ],
)
async def test_who_is_not_recognised_is_shut_out(url: str, payload: Any, reason: str) -> None:
    async with opened(url) as socket:
        await say(socket, type="connection_init", payload=payload)
        assert await closed(socket) == (4403, reason)


async def test_who_says_nothing_of_themselves_follows_what_is_public(url: str) -> None:
    async with opened(url) as socket:
        assert (await greet(socket))["type"] == "connection_ack"
        await follow(socket)
        (error,) = (await hear(socket))["payload"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("protocol", ["graphql-ws", "graphql-over-websocket"])
async def test_other_protocols_the_old_one_too_are_refused(url: str, protocol: str) -> None:
    async with connect(url, subprotocols=[Subprotocol(protocol)]) as socket:
        assert await closed(socket) == (4406, "Subprotocol not acceptable")


async def test_subscribing_before_the_greeting_is_refused(url: str) -> None:
    async with opened(url) as socket:
        await follow(socket)
        assert await closed(socket) == (4401, "Unauthorized")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '{"type": "unheard-of"}', "[" * 5000, '{"type": "subscribe", "id": "1"}',
     '{"type": "subscribe", "id": "1", "payload": 1}', '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
     '{"type": "connection_init", "payload": []}', " " * (ALLOWANCE.body + 1)],
)  # fmt: skip
async def test_what_is_no_message_closes_the_connection(url: str, text: str) -> None:
    async with opened(url) as socket:
        await socket.send(text)
        assert (await closed(socket))[0] == 4400


async def test_bytes_are_no_message(url: str) -> None:
    async with opened(url) as socket:
        await socket.send(b"{}")
        assert (await closed(socket))[0] == 4400


@pytest.mark.parametrize("query", ["{ __typename }", "{", "subscription { nothing }"])
async def test_only_subscriptions_are_taken(url: str, query: str) -> None:
    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket, query=query)
        message = await hear(socket)
    assert message["type"] == "error"
    assert {error["extensions"]["code"] for error in message["payload"]} == {"INVALID_DOCUMENT"}


async def test_what_is_our_fault_is_not_shown(api: Api, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*args: Any) -> None:
        raise RuntimeError("the password is 12345")

    monkeypatch.setattr(ORDERS, "many", fails)
    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket)
        message = await hear(socket)
    assert "12345" not in json.dumps(message)
    assert "INTERNAL_ERROR" in json.dumps(message)


@pytest.fixture
def traces(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of the operations of sockets, in the order in which they began."""
    begun: list[str] = []

    @contextmanager
    def traced(scope: Any) -> Iterator[str]:
        begun.append(f"trace {len(begun)}")
        yield begun[-1]

    monkeypatch.setattr(api.app, "_traced", traced)
    return begun


async def test_each_operation_has_a_trace_of_its_own(
    api: Api, url: str, traces: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        for id, query in (("1", "{"), ("2", "{ __typename }"), ("3", "subscription { nothing }")):
            await follow(socket, id, query)
            message = await hear(socket)
            assert (message["type"], message["id"]) == ("error", id)
            assert {error["extensions"]["traceId"] for error in message["payload"]} == {traces[-1]}
    assert traces == ["trace 0", "trace 1", "trace 2"]
    assert not caplog.records, "what is refused is no error of ours"


async def test_an_error_between_changes_has_the_trace_of_its_operation(
    api: Api, url: str, traces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket)
        order_in(await hear(socket))

        def fails(*args: Any) -> None:
            raise RuntimeError("the password is 12345")

        monkeypatch.setattr(changes, "order", fails)
        await api.has_seen("orders", STORY[1:2])
        (error,) = (await hear(socket))["payload"]["errors"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "traceId": "trace 0"}
    assert "12345" not in error["message"]


async def test_what_fails_outside_of_the_document_is_told_and_logged(
    api: Api, url: str, traces: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*args: Any) -> None:
        raise RuntimeError("the password is 12345")

    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        monkeypatch.setattr(api.app, "_admit", fails)
        await follow(socket)
        (error,) = (await hear(socket))["payload"]
    assert error["extensions"] == {"code": "INTERNAL_ERROR", "traceId": "trace 0"}
    assert "the password is 12345" in caplog.text


async def test_a_token_that_has_expired_ends_what_it_follows(
    api: Api, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expired(token: str) -> Any:
        raise TokenExpired

    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket)
        order_in(await hear(socket))
        monkeypatch.setattr(api.app, "_authenticate", expired)
        message = await hear(socket)
        assert message["payload"]["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
        assert (await hear(socket))["type"] == "complete"


async def test_somebody_has_so_many_connections_and_no_more(api: Api, url: str) -> None:
    first, second, third = opened(url), opened(url), opened(url)
    assert MOST_STREAMS == 3
    async with first as a, second as b, third as c:
        for socket in (a, b, c):
            assert (await greet(socket, **CUSTOMER))["type"] == "connection_ack"
        async with opened(url) as one_more:
            await say(one_more, type="connection_init", payload=CUSTOMER)
            assert await closed(one_more) == (4429, "TOO_MANY_STREAMS")
    await until(lambda: not api.live.places_taken)
    async with opened(url) as again:
        await say(again, type="connection_init", payload=CUSTOMER)
        assert json.loads(await again.recv(decode=True))["type"] == "connection_ack"


async def test_a_connection_that_is_lost_gives_back_what_it_had(api: Api, url: str) -> None:
    async with opened(url) as socket:
        await greet(socket, **CUSTOMER)
        await follow(socket)
        await hear(socket)
        socket.transport.abort()
    await until(lambda: api.live.followers == 0)


async def test_queries_of_another_origin_are_refused(url: str) -> None:
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus):
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], origin="https://evil.example"):  # type: ignore[arg-type]
            pass


class TestBeforeItIsSaidWhoseItIs:
    async def test_an_address_has_so_many_sockets(self, url: str) -> None:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(opened(url)) for _ in range(MOST_STREAMS)]
            with pytest.raises(InvalidStatus) as refused:
                await stack.enter_async_context(opened(url))
            response = refused.value.response
            assert (response.status_code, response.headers["retry-after"]) == (429, "1")
            assert json.loads(response.body)["errors"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
            await greet(sockets[0], **CUSTOMER)
            await stack.enter_async_context(opened(url))

    async def test_a_place_is_given_back_when_a_socket_ends(self, api: Api, url: str) -> None:
        for _ in range(MOST_STREAMS + 2):
            async with opened(url):
                pass
            await until(lambda: api.live.places_taken == 0)

    async def test_a_long_message_is_refused_by_its_head(self, url: str) -> None:
        async with opened(url) as socket:
            await socket.send("x" * (LONGEST_FRAME + 1))
            assert (await closed(socket))[0] == 1009

    async def test_nothing_is_compressed(self, url: str) -> None:
        """A thousand bytes on the wire could be a million here."""
        async with opened(url) as socket:
            assert socket.response is not None
            assert "Sec-WebSocket-Extensions" not in socket.response.headers
