"""Sagas: the consumers that bring them what they hear, and the way their commands go."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import httpx

from commands.idempotency import SAGAS
from commands.router import RESOURCES, ROUTES
from commands.services import Services
from commands.table import Table
from domain import sagas as sagas_context
from infra.assembly.feeding import Feeds
from infra.assembly.ground import Ground
from infra.assembly.working import at_work, unfit
from infra.assembly.writing import WriteLoops
from infra.databases import READS
from infra.sagas.http import HttpCommands
from infra.sagas.loops import LoopCommands
from projections.consumer import Consumer
from sagas.orchestrator import CONSUMER, SagaSink, contexts
from sagas.port import Commands
from sagas.processes import PROCESSES

AGAIN: Final = 1.0  # seconds until a feed that broke is opened again

log = logging.getLogger(__name__)


def sagas(ground: Ground, feeds: Feeds, loops: WriteLoops) -> None:
    """Any number of processes may do this: they share what the contexts bring."""
    consumers: dict[str, Consumer] = {}
    for context in contexts(PROCESSES):
        ground.background(followed(ground, feeds, saga_sink(loops), context, consumers))
    ground.checks["sagas"] = at_work(lambda: list(consumers.values()), unfit(ground))


async def followed(ground: Ground, feeds: Feeds, sink: SagaSink, context: str, consumers: dict[str, Consumer]) -> None:
    """Until cancelled."""
    while True:
        try:
            async with feeds.of(CONSUMER, context) as feed:
                consumers[context] = Consumer(sink, feed, ground.databases.pool(READS))
                await consumers[context].run()
        except Exception:
            log.exception("the feed of sagas in %s is opened again", context)
            await asyncio.sleep(AGAIN)


def saga_sink(loops: WriteLoops) -> SagaSink:
    return SagaSink(PROCESSES, loops[sagas_context.CONTEXT.name])


def commands_of(ground: Ground, loops: WriteLoops, used: Services) -> Commands:
    """By HTTP where a setting names the command API, else through the loops of this process."""
    url = ground.settings.commands_url
    if url is None:
        return LoopCommands(Table(ROUTES, RESOURCES), loops, used)
    client = httpx.AsyncClient(base_url=url)
    ground.stack.push_async_callback(client.aclose)
    return HttpCommands(client, lambda: used.tokens.access(SAGAS))
