"""Server-sent events as a client reads them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """`data` is None where there is none."""

    name: str
    id: str | None
    data: Any


@dataclass
class Stream:
    response: httpx.Response
    _lines: AsyncIterator[str]

    async def next(self) -> Event:
        """The next event; comments, which keep the connection open, are left out."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line and fields:
                break
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.strip()
        data = fields.get("data")
        return Event(fields.get("event", ""), fields.get("id"), json.loads(data) if data else None)

    async def data(self) -> Any:
        """The data of the next event, which has no errors."""
        event = await self.next()
        assert event.name == "next", event
        assert "errors" not in event.data, event
        return event.data["data"]


@asynccontextmanager
async def streamed(
    client: httpx.AsyncClient,
    query: str,
    who: str | None = "customer",
    headers: dict[str, str] | None = None,
    **variables: Any,
) -> AsyncIterator[Stream]:
    sent = {"accept": "text/event-stream", **(headers or {})}
    if who:
        sent["authorization"] = f"Bearer {who}"
    body = {"query": query, "variables": variables}
    async with client.stream("POST", "/graphql", json=body, headers=sent) as response:
        yield Stream(response, response.aiter_lines())
