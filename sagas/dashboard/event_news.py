"""The list of events goes on by itself: what has come on top of it is counted, and shown on request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

from psycopg import Error
from psycopg_pool import PoolTimeout

from sagas.dashboard.desk import Desk
from sagas.dashboard.event_list import LOOKED_AT, SIZE, Row, Wanted

log: Final = logging.getLogger("chobo.dashboard")

LOOK: Final = 1.0  # seconds for which all who look see the same heads of the logs

Heads = Mapping[str, int]
"""The last position by context."""


class LogsMove:
    """How far some logs are, as `live.stream` waits for it."""

    def __init__(self, desk: Desk, contexts: Sequence[str]) -> None:
        self._desk = desk
        self._contexts = contexts

    async def after(self, model: str, position: str, within: float) -> str:
        """The position as soon as it is another one; the same after so many seconds, or while a log is away."""
        ends = time.monotonic() + within
        while True:
            try:
                found = written(await heads(self._desk, self._contexts))
            except (Error, PoolTimeout) as error:
                log.warning("it is not known how far the logs are: %s", error)
                found = position
            if found != position or time.monotonic() >= ends:
                return found
            await asyncio.sleep(LOOK)


async def heads(desk: Desk, contexts: Sequence[str]) -> Heads:
    """Not older than LOOK."""
    return {name: (await desk.shared.of(("head", name), LOOK, desk.sealed[name].head))[1] for name in contexts}


def written(found: Heads) -> str:
    """As it stands in an address."""
    return ",".join(f"{name}:{position}" for name, position in found.items())


def top(before: Heads, rows: Sequence[Row]) -> Heads:
    """Up to where a list has everything: the heads before it was looked up, or what it shows beyond them."""
    shown = dict(before)
    for row in rows:
        shown[row.context] = max(shown[row.context], row.event.position)
    return shown


async def come(desk: Desk, asked: Wanted, first: Heads) -> int:
    """How many that are asked for have come on top; no more than one more than a page has are counted."""
    count = 0
    for name, head in (await heads(desk, asked.contexts)).items():
        above = first.get(name, head)
        if head > above and count <= SIZE:
            count += await come_in(desk, name, asked, above, head)
    return count


async def come_in(desk: Desk, context: str, asked: Wanted, above: int, head: int) -> int:
    """In one log. Positions have no gaps, so that where everything is asked for nothing is looked up."""
    if asked.everything:
        return head - above
    log = desk.sealed[context]
    if asked.since is not None:
        above = max(above, await log.position_at(asked.since))
    if asked.scans:
        above = max(above, head - LOOKED_AT)
    found = await log.sought(
        stream=asked.stream,
        correlation=asked.correlation,
        event_type=asked.event_type,
        above=above,
        below=head + 1,
        limit=SIZE + 1,
    )
    return len(found)
