"""Streams to whoever does not take them end; what fails for another reason is not taken for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from infra.serving import Patient

SCOPE: dict[str, Any] = {
    "type": "http",
    "path": "/stream",
    "method": "GET",
    "headers": [],
    "asgi": {"spec_version": "2.4"},
}


async def for_ever(scope: Scope, receive: Receive, send: Send) -> None:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "data: x\n\n"

    await StreamingResponse(lines())(scope, receive, send)


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise TimeoutError("the database did not answer")


async def nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_who_takes_nothing_of_a_stream_is_let_go() -> None:
    taken: list[Message] = []

    async def send(message: Message) -> None:
        if len(taken) == 5:
            await asyncio.Event().wait()
        taken.append(message)

    async with asyncio.timeout(10):
        await Patient(for_ever, seconds=0.05)(SCOPE, nothing, send)
    assert len(taken) == 5


async def test_what_fails_by_itself_is_not_hidden() -> None:
    async def send(message: Message) -> None:
        pass

    with pytest.raises(TimeoutError):
        await Patient(fails, seconds=0.05)(SCOPE, nothing, send)
