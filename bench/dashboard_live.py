"""Fifty open pages, each followed as a browser follows it, while a few sagas move every second."""

from __future__ import annotations

import asyncio
import html
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from typing import Final

import psycopg

from bench.cpu import Cpu, used
from bench.dashboard_pages import LIVE, Visitor
from bench.dashboard_shop import House
from bench.many_sagas import COPY, HEAD
from bench.stories import Told
from infra.event_log.wakeups import NOTIFY
from sagas.dashboard.views import BASE

MOVES: Final = 3.0  # a second: sagas of which one append is told
SETTLED: Final = 2.0  # seconds before it is measured


@dataclass(slots=True)
class Seen:
    """What came over all connections together."""

    messages: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processors per second of the clock, with pages open and without."""

    open: Cpu
    closed: Cpu
    seen: Seen
    seconds: float


def addresses(visitor: Visitor) -> Iterator[str]:
    """Fifty pages: what a room full of operators looks at."""
    shop = visitor.house.shop
    yield from ["/"] * 6 + ["/?window=15m"] * 2 + ["/?window=6h"] + ["/?window=1d"]
    yield from ["/sagas?state=all"] * 5 + ["/sagas?state=under-way"] * 3 + ["/sagas?state=needs-a-person"] * 3
    yield from ["/sagas?state=running&sort=oldest", "/sagas?process=checkout"]
    yield from (f"/sagas/{saga}" for saga in shop.under_way[:10])
    yield from [f"/sagas/{shop.long}"] * 3 + [f"/sagas/{shop.stuck}"] * 2
    yield from ["/models"] * 3 + ["/models/sagas"] * 2 + ["/models/users"]
    yield from ["/notifications"] * 3 + ["/audit"] * 3


async def followed(house: House, cookie: str, path: str, seen: Seen) -> None:
    """A stream of events, read until cancelled."""
    host, _, port = house.address.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nHX-Request: true\r\nAccept: text/event-stream"
    writer.write(f"{head}\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    try:
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        assert status == b"200", f"{path}: {status!r}"
        while line := await reader.readline():
            seen.bytes += len(line)
            seen.messages += line.startswith(b"id:")
        raise AssertionError(f"{path} ended")
    finally:
        writer.close()


@dataclass
class Moving:
    """Writes what is still to come of sagas under way, one append after another."""

    database: str
    rest: Sequence[Sequence[Sequence[Told]]]
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            for piece in self._pieces():
                if self.stopped.wait(1 / MOVES):
                    return
                self._write(connection, piece)

    def _pieces(self) -> Iterator[Sequence[Told]]:
        """A piece of each in turn."""
        left = [list(pieces) for pieces in self.rest]
        for pieces in cycle(left):
            if pieces:
                yield pieces.pop(0)
            elif not any(left):
                return

    @staticmethod
    def _write(connection: psycopg.Connection, piece: Sequence[Told]) -> None:
        now = datetime.now(UTC)
        for context in {each.context for each in piece}:
            (head,) = connection.execute(HEAD.format(context).encode()).fetchone() or (0,)
            events = [each for each in piece if each.context == context]
            with connection.cursor().copy(COPY.format(context).encode()) as copy:
                for position, each in enumerate(events, head + 1):
                    copy.write_row((*each[1:5], each.event_id, now, *each[7:], position))
            connection.execute(NOTIFY, [[f"chobo_{context}"], [str(head + len(events))]])


@contextmanager
def moving(house: House) -> Iterator[None]:
    work = Moving(house.database, house.shop.rest)
    thread = threading.Thread(target=work.run)
    thread.start()
    try:
        yield
    finally:
        work.stopped.set()
        thread.join()


async def cost(visitor: Visitor, seconds: float) -> Cost:
    """Both while the same number of sagas move, since read models cost PostgreSQL something too."""
    house, seen = visitor.house, Seen()
    paths = [html.unescape(found) for at in addresses(visitor) for found in LIVE.findall(visitor.ask(BASE + at).text)]
    assert len(paths) == len(list(addresses(visitor))), "not every page is a live one"
    with moving(house):
        closed = await spent(house, seconds / 2)
        following = [asyncio.create_task(followed(house, visitor.cookie, path, seen)) for path in paths]
        await asyncio.sleep(SETTLED)
        seen.messages = seen.bytes = 0
        open = await spent(house, seconds)
        for each in following:
            each.cancel()
        for each in following:
            with suppress(asyncio.CancelledError):
                await each
    return Cost(open, closed, seen, seconds)


async def spent(house: House, seconds: float) -> Cpu:
    """A second."""
    before, began = used(house), time.perf_counter()
    await asyncio.sleep(seconds)
    took, cpu = time.perf_counter() - began, used(house) - before
    return Cpu(cpu.python / took, cpu.postgres / took)
