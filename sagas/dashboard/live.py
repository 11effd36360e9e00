"""Pages that go on by themselves: who looks is told when read models have moved, by server-sent events.

What is sent is how things are, not what has happened to them. So a page that comes back after a pause needs to say only
which position it has seen (`Last-Event-ID`), and is sent something if there is anything newer.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.responses import StreamingResponse

from projections.pool import Pool, connected
from sagas.dashboard.headers import STREAMED

log: Final = logging.getLogger("chobo.dashboard")

LOOK: Final = 0.5  # seconds between looks at how far read models are, while somebody wants to know
REST: Final = 1.0  # seconds that a page is left alone after each change
POSITION: Final = re.compile(r"[\w:+,.@-]{0,2000}")
"""What may stand in the line that says it."""
ALIVE: Final = 15.0  # seconds of silence after which a comment is sent, so that nobody between hangs up

POSITIONS: Final = """
SELECT g.model, string_agg(c.context || ':' || left(c.incarnation::text, 8) || ':' || c.floor || ':' || coalesce(
    (SELECT sum(position) FROM projections.slice_checkpoints s
      WHERE (s.consumer, s.context) = (c.consumer, c.context)), 0), '+' ORDER BY c.context)
FROM projections.generations g
JOIN projections.checkpoints c ON c.consumer = g.model || '@' || g.generation
WHERE g.status = 'LIVE' GROUP BY g.model
"""


class News:
    """How far each live read model is. One look serves all who wait, and nobody looks while nobody waits."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._found: dict[str, str] = {}
        self._moved = asyncio.Event()
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    async def position(self, model: str) -> str:
        """As of now."""
        await self._look()
        return self._found.get(model, "")

    def seen(self, model: str) -> str:
        """As of the last look."""
        return self._found.get(model, "")

    async def after(self, model: str, position: str, within: float) -> str:
        """The position as soon as it is another one; the same when that takes longer than so many seconds."""
        self._waiting += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    while self._found.get(model, position) == position:
                        await self._moved.wait()
        finally:
            self._waiting -= 1
        return self._found.get(model, position)

    async def _keep_looking(self) -> None:
        while self._waiting:
            try:
                await self._look()
            except (Error, PoolTimeout) as error:
                log.warning("it is not known how far read models are: %s", error)
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        async with connected(self._pool) as connection:
            rows = await (await connection.execute(POSITIONS)).fetchall()
        found = dict(rows)
        if found != self._found:
            self._found = found
            self._moved.set()
            self._moved = asyncio.Event()


class Moves(Protocol):
    """What a page waits for."""

    async def after(self, model: str, position: str, within: float) -> str:
        """The position as soon as it is another one; the same when that takes longer than so many seconds."""
        ...


Fragment = Callable[[], Awaitable[str]]


def stream(
    news: Moves, model: str, fragment: Fragment, *, seen: str, stopping: asyncio.Event, rest: float = REST
) -> StreamingResponse:
    """Sends the fragment whenever the model has moved and the fragment is another than before.

    `seen` is the position of what the page shows already.
    """
    sent = messages(news, model, fragment, seen if POSITION.fullmatch(seen) else "", stopping, rest)
    return StreamingResponse(sent, media_type="text/event-stream", headers=STREAMED)


async def messages(
    news: Moves, model: str, fragment: Fragment, seen: str, stopping: asyncio.Event, rest: float
) -> AsyncIterator[str]:
    last, silent = "", 0.0
    yield f"id: {seen}\n\n"
    while not stopping.is_set():
        position = await news.after(model, seen, rest)
        if position == seen:
            silent += rest
            if silent >= ALIVE:
                silent = 0.0
                yield ":\n\n"
            continue
        seen, html = position, await asyncio.shield(asyncio.ensure_future(made(fragment)))
        if not html or html == last:
            continue
        last, silent = html, 0.0
        yield message(seen, html)
        await asyncio.sleep(rest)


# Shielded above: a reader who leaves in the middle of a query would take its connection along.
async def made(fragment: Fragment) -> str:
    """Empty where it could not be made: the page stays as it is, and is tried again when something has moved."""
    try:
        return await fragment()
    except Exception:
        log.exception("a page could not be brought up to date")
        return ""


def message(id: str, data: str) -> str:
    lines = "".join(f"data: {line}\n" for line in data.splitlines())
    return f"id: {id}\n{lines}\n"
