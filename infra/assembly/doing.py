"""To-dos: the consumers that take note of what events ask for, and the worker that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from domain import operations, users
from infra.assembly import telling
from infra.assembly.erasures import sweeper
from infra.assembly.ground import Ground
from infra.assembly.replaying import replays
from infra.assembly.working import at_work, unfit
from infra.assembly.writing import WriteLoops
from infra.databases import READS
from infra.erasure import erase_user
from infra.erasure_list import ErasureList
from infra.keys import keep_dropping_orphans
from infra.operations import Executor, operation_kind
from infra.parked import Park, parked_executors
from infra.replaying import ReplayExecutors
from infra.rules import RULES
from infra.telemetry.probes import todos
from projections.alarm import Alarm
from projections.asking import TodoSink, begin
from projections.consumer import Consumer
from projections.doing import Kind, Worker
from projections.models import MODELS
from projections.pool import connected
from projections.todo import CHANNEL


async def begun(ground: Ground) -> None:
    """Where nothing has taken note of events yet, it begins with those that come from now on.

    Every process that records what is to be done sees to this before its first event.
    """
    for context in RULES:
        incarnation, head = await ground.readers[context].head()
        async with connected(ground.databases.pool(READS)) as connection:
            await begin(connection, context, incarnation, head)


def todo(ground: Ground, loops: WriteLoops) -> None:
    pool = ground.databases.pool(READS)
    consumers = [Consumer(TodoSink(context, rules), ground.feeds[context], pool) for context, rules in RULES.items()]
    for consumer in consumers:
        ground.background(consumer.run())
    alarm = Alarm(ground.databases.conninfo(READS), CHANNEL)
    worker = Worker(pool, alarm, kinds(ground, loops), at_once=ground.settings.todo_at_once)
    ground.background(worker.run())
    ground.background(keep_dropping_orphans(ground.keys))
    ground.checks["to-do"] = at_work(lambda: consumers, unfit(ground))
    ground.telemetry.metrics.probe("to-dos", todos(pool))


def kinds(ground: Ground, loops: WriteLoops) -> Iterator[Kind]:
    yield operation_kind(loops[operations.CONTEXT.name], executors(ground))
    yield from telling.kinds(ground, loops)
    path = ground.settings.erasure_list
    lists = [ErasureList(path)] if path else []
    yield erase_user(loops[users.CONTEXT.name], ground.keys, sweeper(ground), lists)


def executors(ground: Ground) -> Mapping[str, Executor]:
    park = Park(ground.databases.pool(READS), MODELS, RULES, ground.readers)
    return {**parked_executors(park), **ReplayExecutors(replays(ground)).by_kind}
